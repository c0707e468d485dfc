"""Errors as logs tell and tables keep them: what went wrong and where, bounded, and nothing of what it went wrong with.

An error's own text may hold anything: a key, a bank account, somebody's name. So its text is told only where it speaks of the
system alone; of any other error its type and its place are told. Nobody's variables are ever told.
"""

import linecache
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from ocs_core.errors import InvalidValue, OcsError, RequestRejected

MOST_ERRORS = 4
"""Of an error and those that led to it."""
MOST_FRAMES = 16
"""Of one error: the outermost and the innermost of them."""
LONGEST_TEXT = 500
_SPEAK_OF_CODE = (AttributeError, ImportError, MemoryError, NameError, RecursionError, TypeError)
_SPEAK_OF_THE_SYSTEM = {"08", "23", "25", "26", "28", "3D", "40", "42", "53", "54", "55", "57", "58"}
"""PostgreSQL's classes of errors whose first line names tables, columns and settings, and no values."""
_TRUSTED = ("httpcore.", "httpx.", "kafka.", "ocs_adapters.kafka.", "pyarrow.", "smtplib.", "socket.", "ssl.")
_SPEAK_OF_VALUES = {"LocalProtocolError", "SMTPRecipientsRefused", "SMTPResponseException"}
"""Of those: they tell what was to be sent, whom to, or what somebody else says."""


def told(error: BaseException) -> str:
    """An error in one line: its type, what it says where that is of the system alone, else its place."""
    text = _text(error)
    name = type(error).__qualname__
    if text is None:
        place = _place(error.__traceback__)
        return f"{name} at {place}" if place else name
    first = next(iter(text.splitlines()), "")[:LONGEST_TEXT]
    return f"{name}: {first}" if first else name


def reason(error: BaseException) -> str:
    """The same where people read it: an error of ours is a sentence already."""
    said = told(error)
    return said.removeprefix(f"{type(error).__qualname__}: ") if isinstance(error, OcsError) else said


def traced(error: BaseException) -> str:
    """An error with the places that it came through, and those that led to it: at most some kilobytes."""
    parts = []
    for cause in _chain(error):
        parts.append("\n".join([*_frames(cause.__traceback__), told(cause)]))
    return "\nwhich led to\n".join(reversed(parts))


def _text(error: BaseException) -> str | None:
    """What an error says, where that is of the system alone."""
    if isinstance(error, RequestRejected):
        return "; ".join(f"{violation.code} at {violation.field or '/'}" for violation in error.violations)
    if isinstance(error, OcsError) and not isinstance(error, InvalidValue):
        return str(error)
    if isinstance(error, _SPEAK_OF_CODE):
        return str(error)
    if isinstance(error, sqlite3.Error):
        is_of_trigger = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_TRIGGER
        return None if is_of_trigger else str(error)
    if type(error).__module__.startswith("psycopg"):
        return _text_of_postgres(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if _SPEAK_OF_VALUES & {kind.__name__ for kind in type(error).__mro__}:
        return None
    return str(error) if f"{type(error).__module__}.".startswith(_TRUSTED) else None


def _text_of_postgres(error: Any) -> str | None:
    state = error.sqlstate
    if state is None:  # nothing was said by the server: there is no connection
        return str(error)
    if state[:2] in _SPEAK_OF_THE_SYSTEM and error.diag.context is None:  # else a trigger may say what it likes
        return f"{error.diag.message_primary} ({state})"
    return f"SQLSTATE {state}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(MOST_ERRORS):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        source = linecache.getline(code.co_filename, trace.tb_lineno).strip()[:120]
        frames.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}\n    {source}')
        trace = trace.tb_next
    if len(frames) <= MOST_FRAMES:
        return frames
    half = MOST_FRAMES // 2
    return [*frames[:half], f"  … {len(frames) - MOST_FRAMES} more …", *frames[-half:]]


def _place(trace: TracebackType | None) -> str | None:
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    path = Path(trace.tb_frame.f_code.co_filename)
    return f"{'/'.join(path.parts[-3:])}:{trace.tb_lineno}"
