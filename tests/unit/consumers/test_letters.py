"""A notification as people read it."""

import datetime as dt
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.consumers.notifications import letters
from ocs_core.messages import NOTIFICATIONS
from ocs_core.money import MAX_AMOUNT, MIN_AMOUNT, Money
from ocs_core.testkit.fakes import NOW


@pytest.mark.parametrize("kind", NOTIFICATIONS.values(), ids=lambda kind: kind.code)
def test_every_whole_number_of_a_notification_is_an_amount_with_its_currency(kind: type) -> None:
    whole = [field.name for field in attrs.fields(kind) if field.type is int]
    assert whole
    assert all("amount" in name or "balance" in name for name in whole)
    assert "currency" in attrs.fields_dict(kind)


@given(st.integers(MIN_AMOUNT, MAX_AMOUNT), st.sampled_from(["EUR", "JPY"]))
def test_amounts_are_told_as_people_read_money(amount: int, currency: str) -> None:
    text = letters.text("paymentReceived", NOW, {"paymentAmount": amount, "currency": currency}, ZoneInfo("UTC"))
    assert text.splitlines()[-1] == f"payment amount: {Money(amount, currency)}"


def test_days_stay_days_and_instants_are_told_in_the_zone() -> None:
    value = {"documentDueDate": "2024-05-28", "effectiveDate": "2024-05-14T23:30:00.000000Z", "documentNo": "T1"}
    text = letters.text("documentCreated", NOW, value, ZoneInfo("Europe/Prague"))
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    assert lines["document due date"].strip() == "2024-05-28"
    assert lines["effective date"].strip() == "2024-05-15 01:30:00 CEST"
    assert lines["document no"].strip() == "T1"
    assert lines["time"].strip() == f"{NOW.astimezone(ZoneInfo('Europe/Prague')):%Y-%m-%d %H:%M:%S} CEST"
    assert dt.timedelta(hours=2) == NOW.astimezone(ZoneInfo("Europe/Prague")).utcoffset()
