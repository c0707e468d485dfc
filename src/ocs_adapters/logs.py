"""Where everything that is logged in a process goes, and that errors are told in it as `telling` says."""

import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any

import structlog

from ocs_adapters.telling import traced


def configure() -> None:
    """Send all that is logged in this process, by us and by libraries, to standard error, with errors told so."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            _without_variables,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if _HANDLER not in logging.getLogger().handlers:
        logging.getLogger().addHandler(_HANDLER)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda ended: print(traced(ended.exc_value or ended.exc_type()), file=sys.stderr)


class _Lines(logging.Formatter):
    """Lines of libraries, whose errors are told as ours are."""

    def formatException(self, ei: Any) -> str:
        return traced(ei[1]) if ei[1] else ""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info:  # the error's text is often a part of the message, behind its first line
            message = next(iter(record.getMessage().splitlines()), "")
            record = logging.makeLogRecord({**record.__dict__, "msg": message, "args": (), "exc_text": None})
        return super().format(record)


class _ToStandardError(logging.StreamHandler[Any]):
    """Writes to what standard error is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self, logging.WARNING)
        self.setFormatter(_Lines("%(asctime)s [%(levelname)s] %(name)s: %(message)s"))

    @property
    def stream(self) -> Any:
        return sys.stderr


_HANDLER = _ToStandardError()


def _without_variables(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = traced(error)
    return event
