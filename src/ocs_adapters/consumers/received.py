"""A message taken apart, as consumers that look into it need it."""

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
import msgspec

from ocs_adapters.serial import codes
from ocs_core.errors import OcsError
from ocs_core.messages import Family, schema_version
from ocs_core.ports import Delivered


class NotUnderstood(OcsError):
    """A message that this release cannot read; a newer one may."""


@attrs.frozen(kw_only=True)
class Received:
    """What a message tells: about which `subject` (a refId), what kind of thing (`code`), when, and its value as plain JSON."""

    ce_id: UUID
    time: dt.datetime
    family: Family
    code: str
    subject: UUID
    value: Any

    @property
    def version(self) -> int:
        """The version of the entity that it carries. Raises `NotUnderstood` where it carries none."""
        link = self.value.get("monetaryTransaction")
        found = self.value.get("version", link.get("version") if isinstance(link, dict) else None)
        if type(found) is not int or not 0 < found < 2**63:
            raise NotUnderstood(f"Its version is {found!r}.")
        return found


def with_plain_codes(message: Delivered) -> Delivered:
    """The message as its schema describes it, whether it was published with the names of configured things or not.

    Raises `NotUnderstood`.
    """
    if not codes.is_expanded(message.headers):
        return message
    try:
        value = codes.contracted(message.value)
    except (ValueError, KeyError, RecursionError) as error:
        raise NotUnderstood(f"It cannot be read: {error}.") from error
    return attrs.evolve(message, headers=codes.headers_contracted(message.headers), value=value)


def received(message: Delivered) -> Received:
    """Take a message apart; it may have fields that nobody here knows of. Raises `NotUnderstood`."""
    message = with_plain_codes(message)
    headers = message.headers
    try:
        code = headers["ce_type"].rsplit(".", 1)[-1]
        schema, version = headers["ce_dataschema"].rsplit(":", 1)
        if int(version) > schema_version(code):
            raise NotUnderstood(f"It follows version {version} of {schema!r}, which this release does not know.")
        value = msgspec.json.decode(message.value)
        if not isinstance(value, dict):
            raise NotUnderstood("Its value is no JSON object.")
        return Received(
            ce_id=UUID(headers["ce_id"]),
            time=_instant(headers["ce_time"]),
            family=Family.NOTIFICATION if "X-Ocs-Io-notification-code" in headers else Family.BUSINESS_TRANSACTION,
            code=code,
            subject=UUID(headers["ce_subject"]),
            value=value,
        )
    except KeyError as error:
        raise NotUnderstood(f"It has no header {error}.") from error
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"It cannot be read: {error}.") from error


def _instant(text: str) -> dt.datetime:
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise NotUnderstood(f"Its ce_time {text} has no offset.")
    return instant
