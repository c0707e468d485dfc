"""Messages with the names of configured things: what is told, and that every consumer of ours takes either form."""

import json
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.bootstrap import Platform, platform_on
from ocs_adapters.consumers.notifications import letters
from ocs_adapters.consumers.notifications.deliveries import Delivery
from ocs_adapters.consumers.received import NotUnderstood, received, with_plain_codes
from ocs_adapters.consumers.warehouse import parquet
from ocs_adapters.serial import codes, encode
from ocs_adapters.settings import Settings
from ocs_core.ports import Delivered
from ocs_core.testkit.examples import UNIT, Desk, configuration
from ocs_core.testkit.fakes import NOW
from ocs_core.testkit.strategies import (
    accounts,
    chargeable_events,
    documents,
    payers,
    payment_histories,
    payments,
    settlements,
)
from tests.contract.stores import DATABASES
from tests.contract.test_reconcile import Scene


def business(desk: Desk) -> None:
    account = desk.account("A-1")
    document = desk.document(account=account, custom_attributes={"currency": "of the caller"})
    desk.assign(payment := desk.payment(account=account), document, UNIT)
    desk.cancel_assignment(payment, document)


def delivered(platform: Platform) -> list[Delivered]:
    return [message for _, message in platform.events.delivered_after(0, 1000)]


@DATABASES
def test_only_codes_and_the_schemas_name_differ_from_what_is_told_without_names(make) -> None:
    with make() as database:
        named, plain = (platform_on(database, Settings(messages_expand_codes=on)) for on in (True, False))
        desk = Desk(named.services.store)
        business(desk)
        waiting = named.outbox.waiting(1000)
        assert named.relay.drain() == len(waiting) > 10
        told = delivered(named)
        for row, message in zip(waiting, told, strict=True):
            schema = message.headers["ce_dataschema"]
            assert schema == row.headers["ce_dataschema"].replace(":schema:", ":expanded-schema:")
            assert with_plain_codes(message).headers == row.headers
            assert json.loads(with_plain_codes(message).value) == json.loads(row.value)
        (payment, *_) = [json.loads(m.value) for m in told if m.headers["ce_type"] == "io.ocs.rm.payment"]
        assert payment["currency"]["name"] == "Euro"
        assert payment["paymentMethod"] == {
            "refId": str(codes.ref_id_of("payment_methods", "bankTransfer")),
            "code": "bankTransfer",
            "name": None,
        }
        desk.account("A-2")
        assert plain.relay.drain() > 0
        assert not codes.is_expanded(delivered(plain)[-1].headers)


@DATABASES
def test_finance_and_the_comparison_take_either_form(make) -> None:
    with make() as database:
        scene = Scene(database)
        business(scene.desk)
        platform_on(database, Settings(messages_expand_codes=True)).relay.drain()
        scene.desk.payment()
        scene.tell_finance()
        report = scene.reconcile()
        assert report.is_equal, report
        assert report.not_understood == 0
        assert sum(report.compared.values()) > 10


TOLD = (accounts(), payers(), payments(), payment_histories(), documents(), chargeable_events(), settlements())


@given(payload=st.one_of(TOLD))
def test_whatever_is_told_with_names_can_be_told_without_them(payload) -> None:
    plain = encode(payload)
    assert json.loads(codes.contracted(codes.expanded(plain, configuration()))) == json.loads(plain)
    assert json.loads(codes.contracted(plain)) == json.loads(plain)


def message_of(value: bytes, code: str = "payment") -> Delivered:
    headers = {
        "ce_id": str(UUID(int=1)),
        "ce_time": "2024-05-14T10:00:00.000000Z",
        "ce_subject": str(UUID(int=2)),
        "ce_type": f"io.ocs.rm.{code}",
        "ce_dataschema": f"urn:ocs-rm:expanded-schema:{code}:1",
    }
    return Delivered(topic="t", key=UUID(int=3), headers=headers, value=value)


def test_the_warehouse_keeps_plain_codes() -> None:
    message = message_of(codes.expanded(b'{"currency":"EUR","version":1}', configuration()))
    (table,) = parquet.by_day([message]).values()
    (row,) = table.to_pylist()
    assert row["value"] == '{"currency":"EUR","version":1}'
    assert row["schema"] == "urn:ocs-rm:schema:payment:1"


def test_an_email_tells_amounts_with_the_code_of_their_currency() -> None:
    value = codes.expanded(b'{"currency":"EUR","paymentAmount":49900000}', configuration()).decode()
    delivery = Delivery(
        ref_id=UUID(int=1), recipient="r", code="c", occurred_at=NOW, value=value, number=1, attempts_left=1
    )
    assert "49.90 EUR" in letters.text("c", NOW, delivery.data, ZoneInfo("UTC"))


@pytest.mark.parametrize("value", [b"{", b'{"currency":{"name":"Euro"}}', b"\xff", b"[" * 100_000])
def test_what_only_seems_to_be_such_a_message_is_not_understood(value) -> None:
    with pytest.raises(NotUnderstood):
        received(message_of(value))
