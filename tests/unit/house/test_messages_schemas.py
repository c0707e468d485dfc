"""Every message that is sent keeps to its schema."""

import json

import jsonschema
import msgspec
import pytest

from ocs_adapters.serial import decode_answer, decode_payload, encode, encode_answer
from ocs_adapters.serial.messages import schemas
from ocs_core.memory import MemoryStore
from ocs_core.messages import PAYLOADS, payload_type
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.testkit.fakes import NOW
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest


def _a_day(store: MemoryStore) -> None:
    desk = Desk(store)
    account = desk.account("A-1")
    desk.event(account=account)
    document = desk.document(account=account, document_issued_date=NOW.date().replace(year=2023))
    desk.assign(desk.payment(), document, UNIT)
    desk.collect(as_of=NOW)


def test_there_is_a_schema_for_every_payload() -> None:
    assert {name for name, _ in schemas()} == {f"{payload_type(code)}.1.json" for code in PAYLOADS}


def test_every_message_keeps_to_its_schema_and_is_read_back_as_it_was() -> None:
    store = MemoryStore(configuration())
    _a_day(store)
    validators = {name: jsonschema.Draft202012Validator(json.loads(text)) for name, text in schemas()}
    seen = set()
    for message in store.outbox.values():
        name = payload_type(message.payload.code)
        value = msgspec.json.decode(encode(message.payload))
        validator = validators[f"{name}.1.json"]
        validator.validate(value)
        assert [*value] == [*validator.schema["properties"]]
        assert decode_payload(name, value) == message.payload
        seen.add(message.payload.code)
    assert seen == PAYLOADS.keys() - {"paymentSent"}


@pytest.mark.parametrize("wrong", [{"paymentType": "NEW"}, {"paymentAmount": "7"}, {"paymentAmount": 1.5}])
def test_a_schema_refuses_other_values_and_lets_readers_ignore_more_properties(wrong) -> None:
    store = MemoryStore(configuration())
    payment = Desk(store).payment()
    validator = jsonschema.Draft202012Validator(json.loads(dict(schemas())["PaymentEx.1.json"]))
    value = msgspec.json.decode(encode(payment))
    assert validator.is_valid(value | {"surprise": 1})
    assert not validator.is_valid(value | wrong)


def test_an_answer_is_read_back_as_it_was_given() -> None:
    desk = Desk(MemoryStore(configuration()))
    account = desk.account("A-1")
    request = RegisterPaymentRequest(
        request_id="r",
        account=named(account),
        payment_amount=2**63 - 1 - (2**63 - 1) % 10_000,
        currency="EUR",
        payment_method="cash",
        payment_date_received=NOW,
    )
    answer = desk.perform(RegisterPayment, request)
    assert decode_answer(encode_answer(answer)).steps == answer.steps
