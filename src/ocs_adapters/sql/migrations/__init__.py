"""The schema's history (alembic), shipped with the package; `ocs migrate` brings a database to the newest revision."""

from pathlib import Path

import sqlalchemy as sa

from ocs_core.errors import OcsError

_FOLDER = Path(__file__).parent
REVISIONS = sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py"))
"""All revisions that this release knows, the newest last: each file's name begins with its own."""
NO_SCHEMA = "The database has no schema yet; run: ocs migrate"


class SchemaRefused(OcsError):
    """A migration failed, and nothing of it was kept: the database holds what it should not, or is not there."""


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the schema to a revision, all of it or nothing. Raises `SchemaRefused`."""
    try:
        _upgrade(engine, revision)
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise SchemaRefused(f"The schema was not changed; the database says: {reason}.") from error


def _upgrade(engine: sa.Engine, revision: str) -> None:
    # Every command asks whether the schema is right, and few change it: a third of a second of imports is theirs alone.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if engine.dialect.name == "sqlite" and connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("COMMIT")
        connection.commit()


def current(engine: sa.Engine) -> str | None:
    """The revision a database is at; None for an empty one."""
    with engine.connect() as connection:
        has_one = sa.inspect(connection).has_table("alembic_version")
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if has_one else None
        connection.rollback()
        return found


def problem(engine: sa.Engine) -> str | None:
    """Why this release cannot work on that schema, as a sentence that names the way out; None when it can."""
    found, wanted = current(engine), REVISIONS[-1]
    if found == wanted:
        return None
    if found is None:
        return NO_SCHEMA
    if found in REVISIONS:
        return f"The database's schema is at revision {found}, this release needs {wanted}; run: ocs migrate"
    return f"The database's schema is at revision {found}, which a newer release made; run that release"
