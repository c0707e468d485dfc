"""Every command explains itself, and is told apart from what is none."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App
from rich.console import Console

from ocs_adapters.cli import EXIT_CODES
from ocs_adapters.cli import command_list as ours
from ocs_adapters.cli.program import commands
from ocs_http import cli as of_http
from tests.unit.cli.conftest import Ocs

COMMANDS = (
    ("migrate",),
    ("backup",),
    ("configure",),
    ("key", "add"),
    ("key", "list"),
    ("key", "revoke"),
    ("rules",),
    ("events",),
    ("collect",),
    ("runs", "list"),
    ("runs", "show"),
    ("runs", "cancel"),
    ("schedule", "run"),
    ("schedule", "status"),
    ("open-balance",),
    ("maintenance", "prune"),
    ("import", "receivables"),
    ("consume", "notifications"),
    ("deliveries", "list"),
    ("deliveries", "show"),
    ("deliveries", "retry"),
    ("serve",),
    ("worker",),
    ("kafka", "init"),
    ("demo",),
    ("consume", "warehouse"),
    ("warehouse", "sql"),
    ("warehouse", "files"),
    ("warehouse", "compact"),
    ("warehouse", "status"),
)


EVERY = {**ours.COMMANDS, **of_http.COMMANDS}


def test_the_commands_are_listed_with_what_they_do(empty: Ocs) -> None:
    out = empty("--help").done().out
    for command, *_ in COMMANDS:
        assert re.search(rf"│ {command} +[A-Z]", out), command
    assert "OCS_DATABASE_URL" in out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_has_a_help_that_says_what_it_does_and_what_each_option_means(
    empty: Ocs, command: tuple[str, ...]
) -> None:
    out = empty(*command, "--help").done().out
    assert out.startswith(f"Usage: ocs {' '.join(command)}")
    explained = re.findall(r"│ \*? *(?:[A-Z_]+ +)?--[a-z-]+(?: [A-Z.|=]+)? {2,}(\S)", out)
    options = re.findall(r"│ \*? *(--[a-z-]+)", out)
    assert len(explained) == len(options)


def every_command(app: App) -> Iterator[tuple[str, ...]]:
    for name, inner in app.resolved_commands().items():
        if not name.startswith("-"):
            below = [(name, *rest) for rest in every_command(inner)]
            yield from below or [(name,)]


def test_every_command_is_tried_here() -> None:
    assert {command[0] for command in every_command(commands(EVERY))} >= {command[0] for command in COMMANDS}
    assert len(list(every_command(commands(EVERY)))) > 30


def test_the_list_says_of_each_command_what_its_own_help_begins_with() -> None:
    resolved = commands(EVERY).resolved_commands()
    for name, (_, sentence) in EVERY.items():
        assert " ".join(resolved[name].help.partition("\n\n")[0].split()) == sentence, name


TAKES_LONG = {
    "alembic",
    "cattrs",
    "duckdb",
    "httpx",
    "kafka",
    "litestar",
    "msgspec",
    "psycopg",
    "pyarrow",
    "sqlalchemy",
}
TAKES_LONG |= {"hypothesis", "structlog", "uvicorn"}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)], ids=" ".join)
def test_what_only_tells_of_itself_imports_nothing_that_takes_long(arguments: tuple[str, ...]) -> None:
    script = f"""if True:
        import sys
        from ocs_adapters.cli import main
        try:
            main({arguments})
        except SystemExit as ended:
            assert not ended.code
        print(*sorted({TAKES_LONG} & set(sys.modules)), file=sys.stderr)
    """
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stderr.strip() == ""


def helped(app: App, command: tuple[str, ...], columns: int) -> str:
    console = Console(file=io.StringIO(), width=columns)
    app.help_print(list(command), console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_no_option_is_explained_by_the_type_that_holds_it_and_no_word_is_cut_at_80_columns() -> None:
    app = commands(EVERY)
    for command in every_command(app):
        words = set(re.findall(r"\S+", helped(app, command, 400).replace("─", "")))
        out = helped(app, command, 80)
        assert not re.search(r"--[a-z-]+ (STR|INT|PATH|DATE|BOOL|FLOAT|UUID|CHOICE)\b", out), command
        assert "[ARGS]" not in out, command
        assert max(map(len, out.splitlines())) <= 80, command
        assert words <= set(re.findall(r"\S+", out.replace("─", ""))), command


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Exit codes")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE) == [(str(c), m) for c, m in EXIT_CODES.items()]


def test_no_command_ends_with_another_code() -> None:
    for package in ("ocs_adapters/cli", "ocs_http"):
        for path in (Path(__file__).parents[3] / "src" / package).rglob("*.py"):
            for code in re.findall(r"(?:sys\.exit|SystemExit)\((-?\d+)\)", path.read_text(encoding="utf-8")):
                assert int(code) in EXIT_CODES, path


def test_completion_is_made_for_each_shell(empty: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--install-completion" in empty("--help").done().out
    for shell in ("bash", "zsh", "fish"):
        made = commands(EVERY).generate_completion(shell=shell)
        assert "collect" in made
        assert "dry-run" in made
    monkeypatch.setenv("HOME", str(empty.folder))
    empty("--install-completion", "--shell", "bash").done()
    assert any("collect" in path.read_text() for path in empty.folder.rglob("*ocs*") if path.is_file())


def test_the_version_is_that_of_the_distribution(empty: Ocs) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", empty("--version").done().out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("colect",), "colect"),
        (("collect", "--dryrun"), "--dryrun"),
        (("events", "--after", "x"), "--after"),
        (("events", "--after", "-1"), "--after"),
        (("key", "add", "crm"), "--privilege"),
        (("import", "receivables", "missing.csv", "--currency", "USD", "--as-of", "2014-12-31"), "missing.csv"),
        (("import", "receivables"), "FILE"),
        (("configure", "missing.toml"), "missing.toml"),
        (("configure", "--dryrun"), "Unknown option: --dryrun"),
        (("serve", "--port", "x"), '--port: give a whole number, not "x".'),
        (("finance", "--as-of", "2024-13-01"), '--as-of: give a day such as 2024-05-14, not "2024-13-01".'),
        (("runs", "show", "7"), 'RUN: give an id such as 018f3a5c-7b1e-7cc0-8000-0123456789ab, not "7".'),
    ],
)
def test_what_is_not_understood_is_named_and_ends_with_2(empty: Ocs, arguments: tuple[str, ...], said: str) -> None:
    assert said in empty(*arguments).refused(2)


def test_the_command_is_installed_under_its_name() -> None:
    program = "import importlib.metadata as m; (e,) = m.entry_points(group='console_scripts', name='ocs'); e.load()()"
    ended = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [("configure", "--example"), ("rules",), ("--help",)], ids=" ".join)
def test_what_a_stream_cannot_show_is_escaped(arguments: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("ocs")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    told = subprocess.run([program, *arguments], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.isascii()
    assert told.stderr == ""


def test_an_interrupt_while_the_program_starts_is_no_traceback() -> None:
    script = (
        "import builtins, sys; take = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name.startswith('sqlalchemy'): raise KeyboardInterrupt\n"
        "    return take(name, *rest)\n"
        "from ocs_adapters.cli import main; builtins.__import__ = interrupted; main(['collect'])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")
