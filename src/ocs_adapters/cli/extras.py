"""Which extra brings what is not installed. Needs nothing but the standard library."""

import traceback
from collections.abc import Mapping

EXTRAS: Mapping[str, str] = {
    "sql": "alembic cattrs msgspec psycopg sqlalchemy structlog uuid_utils",
    "cli": "cronsim cyclopts rich tomli_w tzdata",
    "http": "httptools litestar prometheus_client swagger_ui_bundle uvicorn uvloop",
    "kafka": "kafka",
    "consumers": "anyio httpx standardwebhooks",
    "warehouse": "duckdb pyarrow",
    "testkit": "hypothesis pytest",
}
"""The modules that each extra is there for."""


def what_brings(error: Exception) -> str | None:
    """A sentence that names the extra; None where nothing is missing that an extra brings."""
    if type(error) is ImportError and isinstance(error.__cause__, ModuleNotFoundError):  # while a command was imported
        error = error.__cause__
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    extra = next((extra for extra, modules in EXTRAS.items() if missing in modules.split()), None)
    if extra is None:
        return None
    if _of_http(error):
        return f"The HTTP API needs {missing}, which is not installed; install ocs-rm[http]."
    if extra in {"sql", "cli"}:
        return (
            f"The command line needs {missing}, which is not installed; install ocs-rm[cli], or ocs-rm[http] for the "
            "HTTP API, too."
        )
    return f"This needs {missing}, which is not installed; install ocs-rm[{extra}]."


def _of_http(error: Exception) -> bool:
    """Whether it was the HTTP API that asked for it."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("ocs_http.") for frame, _ in frames)
