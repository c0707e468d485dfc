"""Questions in SQL, answered by DuckDB over exactly the manifest's files and nothing else."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import duckdb

from ocs_adapters.consumers.warehouse.folder import Folder
from ocs_adapters.consumers.warehouse.manifest import File, Manifest
from ocs_adapters.consumers.warehouse.parquet import rows_of
from ocs_adapters.consumers.warehouse.views import literal, views
from ocs_core.errors import OcsError

PATIENCE_SECONDS = 2.0
"""How long a file that was just listed may take to come to its place."""
SPILL_AT_MOST = 16_000_000_000
"""Bytes on the disk that one question may take for what does not fit in memory; never more than half of what is free."""
_MANY_ROWS = 10_000


@attrs.frozen
class Answer:
    """Columns, their types in SQL, and rows; amounts are whole numbers of millionths, as in the messages."""

    columns: Sequence[str]
    kinds: Sequence[str]
    rows: Iterator[Sequence[Any]]


@attrs.frozen
class Questions:
    """The view `messages` has every message once; `views` tells of the others."""

    folder: Folder
    manifest: Manifest

    @contextmanager
    def answered(self, question: str) -> Iterator[Answer]:
        """The answer to one SELECT, to be read until the end of the block; no file is merged away meanwhile.

        Raises `OcsError` with a sentence: where the SQL is wrong, is anything but one SELECT, wants another file or the
        network, or where a file of the warehouse is missing.
        """
        with self.folder.reading(), TemporaryDirectory() as spill, duckdb.connect() as connection:
            prepare(connection, self.paths(), Path(spill))
            try:
                _only_selects(connection, question)
                connection.execute(question)
                columns = [(name, str(kind)) for name, kind, *_ in connection.description or ()]
                yield Answer([name for name, _ in columns], [kind for _, kind in columns], _rows(connection))
            except duckdb.Error as error:
                raise OcsError(_sentence(error)) from error

    def paths(self) -> Sequence[Path]:
        """Where every file of the manifest is. Raises `OcsError` where one is missing."""
        files = self.manifest.all()
        ends = time.monotonic() + PATIENCE_SECONDS
        while not all(self.folder.path(file).exists() for file in files) and time.monotonic() < ends:
            time.sleep(0.02)
        return [self._path(file) for file in files]

    def _path(self, file: File) -> Path:
        if path := self.folder.find(file):
            return path.resolve()
        raise OcsError(
            f"{self.folder.path(file)} is missing; bring it back from a backup, or read everything that is still published "
            "again: ocs consume warehouse --from-beginning"
        )


def prepare(connection: "duckdb.DuckDBPyConnection", paths: Sequence[Path], spill: Path) -> None:
    """Make the views, then lock the door: no file, no network, no other setting.

    Not even the warehouse's own files: whoever may name them in SQL may also write to them, by `WITH … AS (COPY …)` too.
    """
    spill_at_most = min(SPILL_AT_MOST, shutil.disk_usage(spill).free // 2)
    for setting, value in (
        ("TimeZone", "UTC"),
        ("temp_directory", str(spill)),
        ("max_temp_directory_size", f"{spill_at_most}B"),
        ("python_enable_replacements", "false"),
        ("autoinstall_known_extensions", "false"),
    ):
        connection.execute(f"SET {setting} = {literal(value)}")
    connection.register("messages", rows_of(paths))
    for view in views():
        connection.execute(view)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _only_selects(connection: "duckdb.DuckDBPyConnection", question: str) -> None:
    statements = connection.extract_statements(question)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise OcsError("The warehouse answers one SELECT at a time, and nothing else.")


def _rows(connection: "duckdb.DuckDBPyConnection") -> Iterator[Sequence[Any]]:
    while rows := connection.fetchmany(_MANY_ROWS):
        yield from rows


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split("\n\nLINE")[0].split())
