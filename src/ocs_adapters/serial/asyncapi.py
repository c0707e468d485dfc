"""The AsyncAPI 3.0 document of all messages, from the classes that are sent. `python -m ocs_adapters.serial.asyncapi`."""

import functools
import importlib.metadata
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ocs_adapters.serial import examples
from ocs_adapters.serial.schema import open_components
from ocs_adapters.serial.wire import encode
from ocs_core.messages import (
    BUSINESS_TRANSACTIONS,
    NOTIFICATIONS,
    PAYLOADS,
    Family,
    family_of,
    headers_of,
    payload_type,
)

Node = dict[str, Any]
JSON = "application/json"
BINDING = "0.5.0"
"""The version of AsyncAPI's bindings for Apache Kafka."""
DESCRIPTION = """\
What leaves the system: **business transactions**, each an entity as it is now, and **notifications**, each a condition met.

**Delivery** is at least once, and never before the commit. The key is the account's refId, or the entity's own where it has
no account; per key, messages are in the order of their commits. `ce_id` is the same however often a message is delivered:
consumers recognise by it what they have done. An entity whose `version` is not newer than what a consumer has is old news.

**Schemas** are named by `ce_dataschema`, with the payload's version. They may gain properties at any time, and readers ignore
what they do not know; any other change that a reader would notice is a new version.
With `OCS_MESSAGES_EXPAND_CODES` objects of `refId`, `code` and `name` stand in the place of the codes of `accountType`,
`cancelReason`, `currency`, `documentType` and `paymentMethod`, and `ce_dataschema` begins with `urn:ocs-rm:expanded-schema:`.

**Amounts** are whole numbers of millionths of the currency unit: 49.90 EUR is `49900000`. **Times** are in UTC with
microseconds; due dates and the like are days.
"""
CHANNELS: Mapping[Family, tuple[str, str, str]] = {
    Family.BUSINESS_TRANSACTION: (
        "businessTransactions",
        "Entities as they are now",
        "OCS_BUSINESS_TRANSACTIONS_TOPIC",
    ),
    Family.NOTIFICATION: ("notifications", "Conditions that are met", "OCS_NOTIFICATIONS_TOPIC"),
}
"""Name, summary, and the variable by which an operator gives the topic another name."""
PARTICULAR: Mapping[str, Node] = {
    "X-Ocs-Io-transaction-id": {"type": "string", "description": "The transactionId of the operation that sent it."},
    "ce_id": {"type": "string", "format": "uuid", "description": "Of this message, however often it is delivered."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When the operation took place."},
    "ce_subject": {"type": "string", "format": "uuid", "description": "The refId of the entity that it is about."},
}
"""The headers that differ from message to message; the others have one value for each code."""


@functools.cache
def document() -> Mapping[str, Any]:
    """The whole document; what is sent is described as the sender sees it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "OCS revenue management",
            "version": importlib.metadata.version("ocs-rm"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": family.value, "description": CHANNELS[family][1]} for family in Family],
        },
        "defaultContentType": JSON,
        "channels": {CHANNELS[family][0]: _channel(family) for family in Family},
        "operations": {f"send{_capital(CHANNELS[family][0])}": _operation(family) for family in Family},
        "components": {
            "messages": {code: _message(code) for code in PAYLOADS},
            "schemas": open_components(PAYLOADS.values(), "#/components/schemas/{name}"),
            "correlationIds": {
                "transaction": {
                    "description": "All messages of one operation have the same.",
                    "location": "$message.header#/X-Ocs-Io-transaction-id",
                }
            },
        },
    }


def _channel(family: Family) -> Node:
    _, summary, variable = CHANNELS[family]
    elsewhere = f"An operator may give the topic another name by `{variable}`"
    own = ", and a notification a topic of its own" if family is Family.NOTIFICATION else ""
    return {
        "address": family.topic,
        "title": _words(CHANNELS[family][0]),
        "summary": f"{summary}.",
        "description": f"{elsewhere}{own}. It forgets by time and is never compacted.",
        "messages": {code: _ref("components", "messages", code) for code in _codes(family)},
        "tags": [{"name": family.value}],
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["delete"]}, "bindingVersion": BINDING}},
    }


def _operation(family: Family) -> Node:
    name = CHANNELS[family][0]
    return {
        "action": "send",
        "channel": _ref("channels", name),
        "summary": f"Send {_words(name).lower()}.",
        "tags": [{"name": family.value}],
        "messages": [_ref("channels", name, "messages", code) for code in _codes(family)],
    }


def _message(code: str) -> Node:
    name, example = payload_type(code), examples.messages()[code]
    common = {header: {"type": "string", "const": value} for header, value in headers_of(code).items()}
    headers = {**PARTICULAR, **common}
    return {
        "name": code,
        "title": name,
        "description": " ".join((inspect.getdoc(PAYLOADS[code]) or "").split()),
        "tags": [{"name": family_of(code).value}],
        "contentType": JSON,
        "correlationId": _ref("components", "correlationIds", "transaction"),
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
        "payload": _ref("components", "schemas", name),
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": "The account's refId, or the entity's own."},
                "bindingVersion": BINDING,
            }
        },
        "examples": [
            {"name": code, "headers": example.headers, "payload": msgspec.json.decode(encode(example.payload))}
        ],
    }


def _codes(family: Family) -> Iterator[str]:
    return iter(NOTIFICATIONS if family is Family.NOTIFICATION else BUSINESS_TRANSACTIONS)


def _ref(*path: str) -> Node:
    return {"$ref": "/".join(("#", *path))}


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _words(name: str) -> str:
    """`businessTransactions` → `Business transactions`."""
    return _capital(re.sub(r"([A-Z])", lambda m: f" {m[1].lower()}", name))


def as_text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
