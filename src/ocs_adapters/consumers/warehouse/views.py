"""What questions may be put to, beside the messages: every entity as it is now, every notification, with columns."""

from collections.abc import Iterator, Mapping
from typing import Any

from ocs_adapters.serial.schema import components
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS, payload_type

_FORMATS = {"int64": "BIGINT", "date-time": "TIMESTAMPTZ", "date": "DATE"}
_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}
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
    fields = {name: kind for name, kind in _fields(code, cls).items() if name not in _COMMON}
    shape = "{" + ", ".join(f'"{name}": "{kind}"' for name, kind in fields.items()) + "}"
    return (
        f'CREATE VIEW "{code}" AS SELECT {", ".join(_COMMON)}, fields.*, value '  # noqa: S608 - ours alone
        f"FROM (SELECT *, json_transform(value, {literal(shape)}) AS fields FROM messages WHERE {condition})"
    )


def _fields(code: str, cls: type) -> Mapping[str, str]:
    """A payload's fields and their types in SQL, as its schema has them."""
    schemas = components([cls], ref_template="{name}")
    return {name: _kind(field, schemas) for name, field in schemas[payload_type(code)]["properties"].items()}


def _kind(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    given = next((option for option in field.get("anyOf", ()) if option.get("type") != "null"), field)
    if "$ref" in given:
        given = schemas[given["$ref"]]
    if "enum" in given:
        return "VARCHAR"
    kind = given.get("type", "")
    return _FORMATS.get(given.get("format", "")) or _TYPES.get(kind if isinstance(kind, str) else kind[0], "JSON")
