"""What questions may be put to, beside the messages: every entity as it is now, every notification, with columns."""

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from ocs_adapters.serial.wire import fields_shown, properties_shown
from ocs_core.form import Field
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS

_KINDS = {
    int: "BIGINT",
    dt.datetime: "TIMESTAMPTZ",
    dt.date: "DATE",
    bool: "BOOLEAN",
    str: "VARCHAR",
    UUID: "VARCHAR",
}
_COMMON = ("subject", "version", "ce_time", "ce_id", "transaction_id", "key")


def views() -> Iterator[str]:
    """For each code a view of that name: of a business transaction the newest version of each subject, of a notification
    all that were sent. The JSON's fields on the top are columns under their names; what is deeper is JSON."""
    for code, cls in BUSINESS_TRANSACTIONS.items():
        newest = (
            "SELECT arg_max(ce_id, (coalesce(version, 0), ce_time, ce_id)) FROM messages "  # noqa: S608 - ours alone
            f"WHERE code = {literal(code)} GROUP BY subject"
        )
        yield _view(code, cls, f"code = {literal(code)} AND ce_id IN ({newest})")
    for code, cls in NOTIFICATIONS.items():
        yield _view(code, cls, f"code = {literal(code)}")


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _view(code: str, cls: type, condition: str) -> str:
    told = [field for field in fields_shown(cls) + properties_shown(cls) if field.wire not in _COMMON]
    shape = "{" + ", ".join(f'"{field.wire}": "{_kind(field)}"' for field in told) + "}"
    return (
        f'CREATE VIEW "{code}" AS SELECT {", ".join(_COMMON)}, fields.*, value '  # noqa: S608 - ours alone
        f"FROM (SELECT *, json_transform(value, {literal(shape)}) AS fields FROM messages WHERE {condition})"
    )


def _kind(field: Field) -> str:
    """What a field is in SQL."""
    if issubclass(field.base, StrEnum):
        return "VARCHAR"
    return _KINDS.get(field.base, "JSON")
