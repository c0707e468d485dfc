"""The command line through its real entry point, in this process, on a database of its own."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest

from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.cli import main
from ocs_adapters.cli.commands import example_text
from ocs_adapters.cli.master_data import read_entries
from ocs_adapters.settings import Settings

HEADER = ("customer", "number", "issued", "due", "amount", "settled")


@attrs.frozen
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    def done(self) -> "Ended":
        assert self.code == 0, self.err
        return self

    def refused(self, code: int = 1) -> str:
        """What was said to standard error; nobody is shown a traceback."""
        assert self.code == code, (self.out, self.err)
        assert "Traceback" not in self.err
        assert self.err.strip()
        return self.err


@attrs.frozen
class Ocs:
    """`ocs("collect", "--dry-run")`"""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'ocs.sqlite3'}"

    def __call__(self, *arguments: str) -> Ended:
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed, code = self.capsys.readouterr(), ended.value.code
        if isinstance(code, str):  # the interpreter prints it and ends with 1
            return Ended(1, printed.out, f"{printed.err}{code}\n")
        return Ended(int(code or 0), printed.out, printed.err)

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def ledger(self, rows: Iterable[Iterable[Any]], header: Iterable[str] = HEADER, name: str = "ledger.csv") -> str:
        """A file of rows: customer, number, issued, due, amount, settled."""
        return self.file(name, "".join(",".join(map(str, line)) + "\n" for line in (header, *rows)))

    def platform(self) -> Platform:
        return platform(Settings(database_url=self.url))


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ocs:
    """No database yet."""
    for field in attrs.fields(Settings):
        monkeypatch.delenv(f"OCS_{field.name.upper()}", raising=False)
    ocs = Ocs(tmp_path, capsys)
    monkeypatch.setenv("OCS_DATABASE_URL", ocs.url)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return ocs


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema and the example configuration."""
    path = tmp_path_factory.mktemp("template") / "ocs.sqlite3"
    made = platform(Settings(database_url=f"sqlite:///{path}"))
    made.migrate()
    made.configure(read_entries(example_text(), "the example"))
    made.services.close()
    return path


@pytest.fixture
def ocs(empty: Ocs, template: Path) -> Ocs:
    """A database as `ocs migrate` and `ocs configure` leave it with the example configuration."""
    shutil.copy(template, empty.folder / "ocs.sqlite3")
    return empty
