"""When a delivery that failed is tried again. All times in seconds."""

import datetime as dt
import email.utils

WAITS = (5, 30, 2 * 60, 10 * 60, 3600, 3 * 3600, 8 * 3600, 24 * 3600)
"""How long after each attempt the next one is made; there is one attempt more than waits."""
ATTEMPTS = len(WAITS) + 1
SPREAD = 0.25
"""By how much of it a wait may be longer, by chance: what failed together does not come again together."""
RETRY_AFTER_AT_MOST = 24 * 3600
"""Whoever asks for more patience than this is asked again nevertheless."""
LEFT_ALONE_AT_MOST = 10 * 60
"""How long a recipient that fails is left alone at the most, before one delivery tries whether it is back."""


def wait(failures: int, chance: float, retry_after: float | None = None) -> float:
    """How long to wait after so many failures, counted from 1, where `chance` is in [0, 1); never less than asked for."""
    planned = WAITS[min(failures, len(WAITS)) - 1] * (1 + SPREAD * chance)
    return max(planned, min(retry_after or 0, RETRY_AFTER_AT_MOST))


def leave_alone(failures: int, chance: float, retry_after: float | None = None) -> float:
    """How long to leave a recipient alone that failed so often in a row."""
    planned = min(wait(failures, chance), LEFT_ALONE_AT_MOST)
    return max(planned, min(retry_after or 0, RETRY_AFTER_AT_MOST))


def retry_after(header: str | None, now: dt.datetime) -> float | None:
    """What a `Retry-After` asks for: seconds, or an instant in the way of HTTP. None where it makes no sense."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        return max((email.utils.parsedate_to_datetime(header) - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
