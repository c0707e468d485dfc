"""The system's clock, and ids from it."""

import datetime as dt
import uuid
from uuid import UUID

try:
    _uuid7 = uuid.uuid7  # type: ignore[attr-defined]
except AttributeError:  # before Python 3.14
    from uuid_utils.compat import uuid7 as _uuid7


def utc_now() -> dt.datetime:
    """The present instant in UTC."""
    return dt.datetime.now(dt.UTC)


def new_id() -> UUID:
    """A new UUID of version 7; later ones compare greater within a process."""
    return UUID(int=_uuid7().int)
