"""`ocs migrate` and `ocs configure`: the database's schema, and the master data in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
from cyclopts.types import ExistingFile

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Flag, Json, Refused, connected, example_text
from ocs_adapters.cli.master_data import FileWrong, check_together, read_entries
from ocs_core.entities.configuration import KINDS, Configuration


def join(commands: Commands) -> None:
    @commands.app.command
    def migrate(*, check: Flag = False, sql: Flag = False) -> int:
        """Bring the database to the newest schema, making it if there is none.

        The database is the one that OCS_DATABASE_URL names. Doing it again changes nothing. On PostgreSQL others read and write
        meanwhile; of several at once, one works and the others wait; cut off, it goes on where it was when it comes again.

        Args:
            check: Change nothing; end with 1 where there is something to do.
            sql: Change nothing; print the statements, for a database that only its administrators change.
        """
        if check and sql:
            raise Refused("Give --check or --sql, not both.")
        with connected(commands.settings()) as platform:
            problem = platform.problem()
            if problem and "ocs migrate" not in problem:
                raise Refused(f"{problem}.")
            if check or not problem:
                print(f"{problem}." if problem else "The schema is the newest already.")
                return int(bool(problem))
            if sql:
                print(platform.migration_as_sql(), end="")
                return 0
            done = platform.migrate()
        print(
            f"The schema was brought to the newest revision, {done[-1]}."
            if done
            else "Another ocs migrate has done it."
        )
        return 0

    @commands.app.command
    def configure(file: ExistingFile | None = None, /, *, example: Flag = False, json: Json = False) -> None:
        """Take master data from a file: what is new is added, what has the code of something there replaces it.

        All of it is taken, or, with any failure, nothing; every failure is told.

        Args:
            file: A TOML file of sections such as [[currencies]], one for each entry.
            example: Print a complete example with comments, which can be taken as it is.
        """
        if example == (file is not None):
            raise Refused("Give the file to take, or --example to see one.")
        if file is None:
            print(example_text(), end="")
            return
        entries = read_entries(_text(file), str(file))
        with commands.opened() as platform:
            before = platform.services.queries.configuration()
            check_together(entries, before, str(file))
            platform.configure(entries)
        changes = _changes(entries, before)
        say.table(
            ["section", "new ", "changed ", "unchanged "],
            [[kind, *counts] for kind, counts in changes.items()],
            json=json,
        )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileWrong(f"{file} is not TOML: it is not UTF-8 text.") from None


def _changes(entries: Sequence[Any], before: Configuration) -> dict[str, list[int]]:
    kind_of = {cls: kind for kind, cls in KINDS.items()}
    changes: dict[str, list[int]] = {}
    for entry in entries:
        kind = kind_of[type(entry)]
        stored = getattr(before, kind).get(entry.code)
        column = 0 if stored is None else 2 if attrs.asdict(stored) == attrs.asdict(entry) else 1
        changes.setdefault(kind, [0, 0, 0])[column] += 1
    return changes
