"""Commands that were performed: what a repetition is compared with, and answered by (domain: section 1)."""

import datetime as dt
from uuid import UUID

import attrs

from ocs_core.messages import Response


@attrs.frozen
class RequestKey:
    """A request id is unique per calling application."""

    application: str
    request_id: str


@attrs.frozen(kw_only=True)
class Performed:
    """A command that was performed, remembered in its own transaction. `answer` is None once it is no longer kept."""

    key: RequestKey
    operation: str
    digest: bytes
    ref_ids: tuple[UUID, ...]
    performed_at: dt.datetime
    answer: Response | None = attrs.field(repr=False)
