"""The schema's history (alembic), shipped with the package; `ocs migrate` brings a database to the newest revision."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ocs_core.errors import OcsError

NO_SCHEMA = "The database has no schema yet; run: ocs migrate"


class SchemaRefused(OcsError):
    """A migration failed, and nothing of it was kept: the database holds what it should not, or is not there."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the schema to a revision, all of it or nothing. Raises `SchemaRefused`."""
    try:
        _upgrade(engine, revision)
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise SchemaRefused(f"The schema was not changed; the database says: {reason}.") from error


def _upgrade(engine: sa.Engine, revision: str) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if engine.dialect.name == "sqlite" and connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("COMMIT")
        connection.commit()


def newest() -> str:
    """The newest revision that this release knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current(engine: sa.Engine) -> str | None:
    """The revision a database is at; None for an empty one."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        return found


def problem(engine: sa.Engine) -> str | None:
    """Why this release cannot work on that schema, as a sentence that names the way out; None when it can."""
    found, wanted = current(engine), newest()
    if found == wanted:
        return None
    if found is None:
        return NO_SCHEMA
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found in known:
        return f"The database's schema is at revision {found}, this release needs {wanted}; run: ocs migrate"
    return f"The database's schema is at revision {found}, which a newer release made; run that release"
