"""The schema's history (alembic), shipped with the package; `ocs migrate` brings a database to the newest revision."""

import io
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ocs_adapters.sql.migrations.alone import SchemaRefused, alone
from ocs_adapters.sql.urls import file_of

_FOLDER = Path(__file__).parent
REVISIONS = sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py"))
"""All revisions that this release knows, the newest last: each file's name begins with its own."""
NO_SCHEMA = "The database has no schema yet; run: ocs migrate"
WORKS_WITH = "works_with"
"""The column of alembic's table that tells whose releases can work on the schema as it is: `0005..0007`, the oldest revision
and the one that the schema is at."""


def migrate(engine: sa.Engine, revision: str = "head") -> list[str]:
    """Bring the schema to a revision, and give those that were performed; of several at once, one performs them.

    On SQLite all of it is kept or nothing; on PostgreSQL what was done stays, and the next one goes on there. Others read and
    write meanwhile. Raises `SchemaRefused`.
    """
    try:
        with alone(engine) as connection:
            before = _noted(connection).get("version_num")
            if before is None or before in REVISIONS:
                _alembic("upgrade", revision, connection=connection)
            after = _noted(connection)["version_num"]
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        what = (
            "was not changed"
            if engine.dialect.name == "sqlite"
            else "is not complete; ocs migrate goes on where it was"
        )
        raise SchemaRefused(f"The schema {what}; the database says: {reason}.") from error
    return [number for number in REVISIONS if (before or "") < number <= after]


def as_sql(engine: sa.Engine) -> str:
    """What `migrate` would do, as statements: for those who let nobody but themselves change a schema."""
    before = current(engine)
    if engine.dialect.name == "sqlite":
        return _on_a_copy(before)
    output = io.StringIO()
    _alembic("upgrade", f"{before}:head" if before else "head", sql=True, dialect=engine.dialect.name, output=output)
    return output.getvalue()


def current(engine: sa.Engine) -> str | None:
    """The revision a database is at; None for an empty one."""
    return _found(engine).get("version_num")


def problem(engine: sa.Engine) -> str | None:
    """Why this release cannot work on that schema, as a sentence that names the way out; None when it can."""
    noted = _found(engine)
    found, wanted = noted.get("version_num"), REVISIONS[-1]
    since, _, until = (noted.get(WORKS_WITH) or "").partition("..")
    if found == wanted or (found not in REVISIONS and found == until and since in REVISIONS):
        return None
    if found is None:
        return NO_SCHEMA
    if found in REVISIONS:
        return f"The database's schema is at revision {found}, this release needs {wanted}; run: ocs migrate"
    return f"The database's schema is at revision {found}, which a newer release made; run that release"


def _found(engine: sa.Engine) -> Mapping[str, Any]:
    file = file_of(engine.url)
    if file is not None and not file.exists():  # only to look into it would make it
        return {}
    with engine.connect() as connection:
        found = _noted(connection)
        connection.rollback()
        return found


def _noted(connection: sa.Connection) -> Mapping[str, Any]:
    """What alembic's table says, and which releases can work on it."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return {}
    return dict(connection.exec_driver_sql("SELECT * FROM alembic_version").mappings().first() or {})


def _alembic(command: str, *arguments: Any, sql: bool = False, **given: Any) -> None:
    # Every command asks whether the schema is right, and few change it: a third of a second of imports is theirs alone.
    from alembic import command as commands
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes.update(given)
    getattr(commands, command)(config, *arguments, sql=sql)


def _on_a_copy(before: str | None) -> str:
    """SQLite makes some tables anew, and must see them for that: what is done to an empty copy is written down."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"isolation_level": None})
    if before:
        migrate(engine, before)
    statements: list[str] = []
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(statements.append)
        migrate(engine)
        raw.set_trace_callback(None)
    engine.dispose()
    read_only = ("SELECT", "PRAGMA")
    return "".join(f"{sql.strip()};\n" for sql in statements if not sql.lstrip().upper().startswith(read_only))
