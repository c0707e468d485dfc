"""The checks. `uv run nox` runs those that a change must pass, `uv run nox -t fast` the quick ones of them; `uv run nox -l` lists
all.
"""

import functools
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "none"  # the project's own environment, locked in uv.lock
nox.options.sessions = [
    "lint",
    "types",
    "imports",
    "unit",
    "kit",
    "contract",
    "fuzz",
    "docs",
    "bare",
    "build",
    "outsider",
    "extras",
    "crash_short",
    "bench_short",
    "mutation_short",
]
nox.options.stop_on_first_error = False

os.environ.setdefault("OCS_HYPOTHESIS_PROFILE", "ci")
FAST = ["fast"]
SERVERS = ("initdb", "java", "mvn")
INSTALLED = (
    "tests/unit/http",
    "tests/unit/core/test_schedule.py",
    "tests/unit/cli/test_cli_help.py",
    "tests/unit/cli/test_cli_consume.py",
    "tests/unit/cli/test_cli_notifications.py",
    "tests/unit/cli/test_cli_warehouse.py",
)
"""What the wheel is tried with: everything that an extra brings, and with it the core, which `bare` imports module by module."""
SOURCES = ("src", "tests", "bench", "docs/examples", "noxfile.py")


Check = Callable[[nox.Session], None]


def check(
    *, tags: list[str] | None = None, needs: tuple[str, ...] = (), venv_backend: str | None = None
) -> Callable[[Check], object]:
    """A session that tells how many seconds it took. Where a program that it needs is missing, it is passed over, and where CI
    is set it fails, since nobody looks at what a server passes over."""

    def made(performed: Check) -> object:
        @functools.wraps(performed)
        def session(session: nox.Session) -> None:
            if missing := [program for program in needs if not _is_there(program)]:
                (session.error if os.environ.get("CI") else session.skip)(f"not installed: {', '.join(missing)}")
            began = time.monotonic()
            try:
                performed(session)
            finally:
                session.log(f"{performed.__name__} took {time.monotonic() - began:.0f} seconds")

        return nox.session(session, tags=tags, venv_backend=venv_backend)

    return made


def _is_there(program: str) -> bool:
    return bool(shutil.which(program) or [*Path("/usr/lib/postgresql").glob(f"*/bin/{program}")])


@check(tags=FAST)
def lint(session: nox.Session) -> None:
    """Style and common mistakes (ruff)."""
    session.run("ruff", "format", "--check", *SOURCES)
    session.run("ruff", "check", *SOURCES)


@check(tags=FAST)
def types(session: nox.Session) -> None:
    """Types (mypy, strict)."""
    session.run("mypy")


@check(tags=FAST)
def imports(session: nox.Session) -> None:
    """Who may know whom (import-linter)."""
    session.run("lint-imports", "--no-cache")


@check(tags=FAST)
def unit(session: nox.Session) -> None:
    """Everything that needs no server, in seconds."""
    session.run("pytest", "tests/unit", "-n", "auto", *session.posargs)


@check(tags=FAST)
def kit(session: nox.Session) -> None:
    """The test kit: every rule as properties, each line that applies one taken out, every broken implementation caught."""
    session.run("pytest", "tests/kit", "-n", "auto", *session.posargs)


@check()
def contract(session: nox.Session) -> None:
    """The ports' contracts on every adapter, PostgreSQL included."""
    session.run("pytest", "tests/contract", "-n", "2", *session.posargs)


@check()
def fuzz(session: nox.Session) -> None:
    """schemathesis over the OpenAPI document against the running application, in one process."""
    session.run("pytest", "tests/fuzz", *session.posargs)


@check()
def docs(session: nox.Session) -> None:
    """The snippets of README and docs, run; generated pages, compared."""
    session.run("pytest", "tests/docs", "-n", "auto", *session.posargs)


@nox.session
def generate(session: nox.Session) -> None:
    """Make the pages anew that are made from the code: rules, OpenAPI, AsyncAPI, schemas of messages, public names."""
    session.run("python", "-m", "tests.docs.generated")


@check(venv_backend="uv")
def bare(session: nox.Session) -> None:
    """The wheel with attrs alone: every module of the core but the test kit imports, and the README's example runs."""
    session.install(str(_wheel(session)))
    session.run("python", "tests/bare.py")


@check(venv_backend="uv")
def build(session: nox.Session) -> None:
    """The built wheel, installed as a user would with every extra, shows the main job and passes tests of all it brings."""
    session.install(
        f"{_wheel(session)}[http,testkit,kafka,consumers,warehouse]",
        "pytest-xdist",
        "jsonschema",
        "schemathesis",
        "aiosmtpd",
    )
    session.run("ocs", "demo", "--once", silent=True)
    session.run("pytest", *INSTALLED, "-n", "auto", "-q")


@check(venv_backend="uv")
def outsider(session: nox.Session) -> None:
    """A project of somebody else, with the wheel and its extra `testkit`: its store passes, and a planted defect is named."""
    session.install(f"{_wheel(session)}[testkit]")
    session.run("python", "tests/outsider.py")


@check()
def extras(session: nox.Session) -> None:
    """Each extra alone, in an environment of its own: what is missing is named with its extra, nobody sees a traceback."""
    session.run("python", "tests/extras.py", str(_wheel(session)))


@check(needs=SERVERS)
def crash_short(session: nox.Session) -> None:
    """Every part of a company is killed once while clients write, and workers of collection runs; nothing is lost."""
    session.run("python", "-m", "tests.crash", "--rounds", "3", *session.posargs)
    session.run("python", "-m", "tests.crash.workers", "--kills", "3")


@check(needs=SERVERS)
def crash(session: nox.Session) -> None:
    """The same for 50 rounds and 30 workers of each kind, and workers on hosts of their own; takes three quarters of an hour."""
    session.run("python", "-m", "tests.crash", "--rounds", "50", *session.posargs)
    session.run("python", "-m", "tests.crash.workers", "--kills", "30")
    session.run("python", "-m", "tests.crash.workers", "--kills", "30", "--over", "kafka")
    session.run("python", "-m", "tests.crash.hosts")


@check(needs=SERVERS)
def bench_short(session: nox.Session) -> None:
    """The benches on little data: they run, and say so."""
    session.run("python", "-m", "bench.interactors", "--short")
    session.run("python", "-m", "bench.http", "--short")
    session.run("python", "-m", "bench.streaming", "--short")
    session.run("python", "-m", "bench.sizes", "--short")
    session.run("python", "-m", "bench.collection", "--short")
    session.run("python", "-m", "bench.collection.beside", "--short")


@check(needs=SERVERS)
def bench(session: nox.Session) -> None:
    """The benches in full; takes minutes, wants a quiet machine."""
    session.run("python", "-m", "bench.interactors")
    session.run("python", "-m", "bench.http")
    session.run("python", "-m", "bench.streaming")
    session.run("python", "-m", "bench.sizes")
    session.run("python", "-m", "bench.collection", "--growth", "--sqlite")
    session.run("python", "-m", "bench.collection.beside")


@check()
def mutation_short(session: nox.Session) -> None:
    """The mutants of two rules and of collection's trigger: every one is killed."""
    tests = "-k 'test_rule_functions or test_every_rule or test_adjustments or starts or threshold or grace'"
    _mutate(session, "amount_remains", "credit_is_covered", "should_start", tests=tests)


@check()
def mutation(session: nox.Session) -> None:
    """Every mutant of the rules and the balances (docs/mutation.md); takes minutes."""
    _mutate(session, *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """What takes long, in full: crash, mutation and bench."""
    for name in ("crash", "mutation", "bench"):
        session.notify(name)


def _mutate(session: nox.Session, *functions: str, tests: str = "") -> None:
    folder = Path(session.create_tmp()) / "copy"
    env = {"PYTEST_ADDOPTS": tests, "OCS_HYPOTHESIS_PROFILE": "ci"}
    session.run("python", "tests/mutation.py", str(folder), *functions, env=env)


def _wheel(session: nox.Session) -> Path:
    folder = Path(session.create_tmp())
    session.run("uv", "build", "--wheel", "--out-dir", str(folder), silent=True, external=True)
    return max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
