"""Codes of configured things in what is encoded: the plain code, or in its place `{refId, code, name}`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec

from ocs_core.entities.configuration import Configuration
from ocs_core.form import fields
from ocs_core.messages import PAYLOADS

CODED: Mapping[str, str] = {
    "accountType": "account_types",
    "cancelReason": "reasons",
    "currency": "currencies",
    "documentType": "document_types",
    "paymentMethod": "payment_methods",
}
"""The properties that hold the code of a configured thing, and the section of the configuration that it stands in."""
_SCHEMA, _PLAIN, _EXPANDED = "ce_dataschema", "urn:ocs-rm:schema:", "urn:ocs-rm:expanded-schema:"
_NAMESPACE = UUID("4d8058f4-0df4-437c-9e10-99be33d39c1e")
_OF_CALLERS = frozenset(field.wire for cls in PAYLOADS.values() for field in fields(cls) if field.base is Mapping)
"""Properties that hold names of callers: `currency` among them is no code."""


@functools.lru_cache(maxsize=4096)
def ref_id_of(section: str, code: str) -> UUID:
    """The refId of a configured thing: made of its section and code, so that it is the same in every installation."""
    return uuid5(_NAMESPACE, f"{section}/{code}")


def expanded(encoded: bytes, configuration: Configuration) -> bytes:
    """The same JSON with `{refId, code, name}` in the place of each code; `name` is null where none is configured."""

    def expand(name: str, code: Any) -> Any:
        if not isinstance(code, str):
            return code
        entry = getattr(configuration, CODED[name]).get(code)
        return {"refId": ref_id_of(CODED[name], code), "code": code, "name": entry and entry.name}

    return msgspec.json.encode(_mapped(msgspec.json.decode(encoded), expand))


def contracted(encoded: bytes) -> bytes:
    """The same JSON with plain codes again."""

    def contract(_: str, value: Any) -> Any:
        return value["code"] if isinstance(value, dict) else value

    return msgspec.json.encode(_mapped(msgspec.json.decode(encoded), contract))


def headers_expanded(headers: Mapping[str, str]) -> dict[str, str]:
    """A message's headers, naming the expanded schema: `urn:ocs-rm:expanded-schema:PaymentEx:1`."""
    return {**headers, _SCHEMA: headers[_SCHEMA].replace(_PLAIN, _EXPANDED, 1)}


def headers_contracted(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers, naming the plain schema again."""
    return {**headers, _SCHEMA: headers[_SCHEMA].replace(_EXPANDED, _PLAIN, 1)}


def is_expanded(headers: Mapping[str, str]) -> bool:
    """Whether a message with these headers was published with names."""
    return headers.get(_SCHEMA, "").startswith(_EXPANDED)


def _mapped(value: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _changed(name, inner, change) for name, inner in value.items()}


def _changed(name: str, inner: Any, change: Callable[[str, Any], Any]) -> Any:
    if name in _OF_CALLERS:
        return inner
    return change(name, inner) if name in CODED else _mapped(inner, change)
