"""The AsyncAPI document: current, well-formed by its official schema, and true of the messages that are sent."""

import functools
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from ocs_adapters.serial import asyncapi, encode
from ocs_adapters.settings import Settings
from ocs_core.entities.payment import PaymentType
from ocs_core.memory import MemoryStore
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS, PAYLOADS, Message
from ocs_core.testkit.examples import UNIT, Desk, configuration
from ocs_core.testkit.fakes import NOW
from tests.programs import lacking, needed

DOCUMENT: Any = json.loads(asyncapi.as_text())
MESSAGES = DOCUMENT["components"]["messages"]
SPECIFICATION = "@asyncapi/specs@6.11.1"
"""The package of the JSON Schemas that AsyncAPI's own tools go by."""


def test_the_document_keeps_to_the_official_schema_of_asyncapi_3() -> None:
    schema = json.loads(_official_schema().read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(DOCUMENT)] == []
    assert not validator.is_valid(DOCUMENT | {"unheardOf": 1})


def test_every_reference_leads_somewhere() -> None:
    references = [*_references(DOCUMENT)]
    assert references != []
    for reference in references:
        functools.reduce(lambda node, name: node[name], reference.removeprefix("#/").split("/"), DOCUMENT)


@pytest.mark.parametrize(
    ("channel", "codes", "topic"),
    [
        ("businessTransactions", BUSINESS_TRANSACTIONS, Settings().business_transactions_topic),
        ("notifications", NOTIFICATIONS, Settings().notifications_topic),
    ],
)
def test_a_channel_has_every_message_of_its_family(channel: str, codes: Any, topic: str) -> None:
    described = DOCUMENT["channels"][channel]
    assert described["address"] == topic
    assert described["messages"] == {code: {"$ref": f"#/components/messages/{code}"} for code in codes}
    (operation,) = [o for o in DOCUMENT["operations"].values() if o["channel"] == {"$ref": f"#/channels/{channel}"}]
    assert operation["action"] == "send"
    assert operation["messages"] == [{"$ref": f"#/channels/{channel}/messages/{code}"} for code in codes]


def test_no_message_is_described_that_is_never_sent() -> None:
    assert MESSAGES.keys() == PAYLOADS.keys()
    assert {message["payload"]["$ref"].rpartition("/")[2] for message in MESSAGES.values()} <= {
        *DOCUMENT["components"]["schemas"]
    }


@functools.cache
def _sent() -> dict[str, Message]:
    """A message of every code, as the use-cases publish them in memory."""
    store = MemoryStore(configuration())
    desk = Desk(store)
    account = desk.account("A-1")
    desk.event(account=account)
    document = desk.document(account=account, document_issued_date=NOW.date().replace(year=2023))
    desk.assign(desk.payment(), document, UNIT)
    desk.payment(account=account, payment_type=PaymentType.OUT, payment_date_sent=NOW, payment_date_received=None)
    desk.collect(as_of=NOW)
    return {message.payload.code: message for message in store.outbox.values()}


@pytest.mark.parametrize("code", PAYLOADS)
def test_a_message_that_is_sent_is_as_the_document_says(code: str) -> None:
    message = _sent()[code]
    headers = json.loads(json.dumps(message.headers))
    assert headers.keys() == MESSAGES[code]["headers"]["properties"].keys()
    assert sorted(headers) == sorted(MESSAGES[code]["headers"]["required"])
    _validate(headers, MESSAGES[code]["headers"])
    _validate(msgspec.json.decode(encode(message.payload)), MESSAGES[code]["payload"])
    _validate(str(message.key), MESSAGES[code]["bindings"]["kafka"]["key"])


@pytest.mark.parametrize("code", PAYLOADS)
def test_an_example_is_a_message(code: str) -> None:
    (example,) = MESSAGES[code]["examples"]
    _validate(example["headers"], MESSAGES[code]["headers"])
    _validate(example["payload"], MESSAGES[code]["payload"])
    assert example["headers"]["ce_type"] == f"io.ocs.rm.{code}"


def _validate(value: Any, schema: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _official_schema() -> Path:
    """The schema out of its package, fetched once for all projects of this user."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ocs-rm"
    schema = cache / f"{SPECIFICATION.rpartition('/')[2]}.json"
    if not schema.exists():
        needed("npm")
        cache.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", SPECIFICATION],
            cwd=cache,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if packed.returncode != 0:
            lacking(f"AsyncAPI's own schema cannot be fetched: {packed.stderr.strip()[-200:]}")
        archive = cache / packed.stdout.split()[-1]
        with tarfile.open(archive) as package:
            member = package.extractfile("package/schemas/3.0.0.json")
            assert member is not None
            partly = schema.with_suffix(f".{os.getpid()}")
            partly.write_bytes(member.read())
            partly.rename(schema)  # two test processes may come at once
        archive.unlink(missing_ok=True)
    return schema
