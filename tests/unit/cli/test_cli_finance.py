"""`ocs finance`: its figures are those of the open balance, as of any day."""

import datetime as dt
import json

import attrs
import pytest

from ocs_adapters.clock import utc_now
from ocs_core.entities.configuration import Currency
from ocs_core.entities.document import DueAmountType
from ocs_core.testkit.examples import UNIT, Desk

DAY = dt.timedelta(days=1)


@attrs.frozen
class Scene:
    ocs: object
    platform: object
    desk: Desk

    def finance(self, *arguments: str) -> dict[str, object]:
        self.platform.relay.drain()
        self.ocs("consume", "finance", "--once").done()
        told = json.loads(self.ocs("finance", "--json", *arguments).done().out)
        self.adds_up(told)
        return told

    def adds_up(self, told) -> None:
        """The lines add up to the open balances, and receivables by age to the receivable ones."""
        sums: dict[str, int] = {}
        for line in told["openBalances"]:
            sign = -1 if line["figure"] == "openBalance" else 1
            sums[line["currency"]] = sums.get(line["currency"], 0) + sign * line["amount"]["amount"]
        assert set(sums.values()) <= {0}
        aged = sum(line["amount"]["amount"] for line in told["receivables"])
        assert aged == sum(b["amount"]["amount"] for b in told["openBalances"] if b["figure"] in {"DUE", "FUTURE"})


def figures(told) -> dict[str, int]:
    return {line["figure"]: line["amount"]["amount"] // UNIT for line in told["openBalances"]}


def ages(told, what: str = "receivables") -> dict[str, int]:
    return {line["age"]: line["amount"]["amount"] // UNIT for line in told[what]}


@pytest.fixture
def scene(ocs):
    made = ocs.platform()
    made.configure([Currency(code="JPY", minor_digits=0), Currency(code="KWD", minor_digits=3)])
    yield Scene(ocs, made, Desk(made.services.store, clock=utc_now))
    made.services.close()


def test_as_of_a_day_it_shows_what_was_open_then(scene) -> None:
    """A settlement of later on, and what was issued or received later on, are in no figure."""
    desk, today = scene.desk, utc_now().date()
    account = desk.account("G")
    document = desk.document(
        account=account, amount=100 * UNIT, document_issued_date=today - 240 * DAY, document_due_date=today - 230 * DAY
    )
    payment = desk.payment(account=account, amount=100 * UNIT, payment_date_received=utc_now() - 170 * DAY)
    desk.assign(payment, document, 100 * UNIT, effective_date=utc_now() - 170 * DAY)
    desk.document(
        account=account, amount=40 * UNIT, document_issued_date=today - 90 * DAY, document_due_date=today - 75 * DAY
    )
    desk.payment(amount=33 * UNIT, payment_date_received=utc_now() - 60 * DAY)
    then = scene.finance("--as-of", str(today - 200 * DAY))
    assert (ages(then), ages(then, "unidentifiedPayments")) == ({"0-30": 100}, {})
    assert figures(then) == {"DUE": 100, "openBalance": 100}
    now = scene.finance()
    assert (ages(now), ages(now, "unidentifiedPayments")) == ({"61-90": 40}, {"31-60": 33})
    assert figures(scene.finance("--as-of", str(today - 300 * DAY))) == {}


def test_due_today_is_not_due_and_what_is_not_issued_yet_is_in_no_figure(scene) -> None:
    desk, today = scene.desk, utc_now().date()
    account = desk.account("G2")
    desk.document(account=account, amount=7 * UNIT, document_issued_date=today - DAY, document_due_date=today)
    desk.document(account=account, amount=11 * UNIT, document_issued_date=today + 40 * DAY)
    told = scene.finance()
    assert (ages(told), figures(told)) == ({"not due": 7}, {"FUTURE": 7, "openBalance": 7})


def test_liabilities_and_overpayments_have_lines_so_that_it_adds_up_to_the_open_balances(scene) -> None:
    desk, today = scene.desk, utc_now().date()
    first, second = desk.account("F1"), desk.account("F2")
    overdue = {"document_issued_date": today - 40 * DAY, "document_due_date": today - 30 * DAY}
    desk.document(account=first, amount=100 * UNIT, **overdue)
    desk.document(account=first, amount=30 * UNIT, document_type="creditNote", due_amount_type=DueAmountType.LIABILITY)
    desk.document(account=second, amount=40 * UNIT, **overdue)
    desk.payment(account=second, amount=90 * UNIT)
    told = scene.finance()
    assert figures(told) == {"DUE": 140, "LIABLE": -30, "OVERPAYMENT": -90, "openBalance": 20}
    assert [line["count"] for line in told["openBalances"]] == [2, 1, 1, 4]


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "1000 JPY"), ("KWD", "1000.000 KWD"), ("EUR", "1000.00 EUR")])
def test_amounts_are_as_fine_as_their_currency(scene, currency, shown) -> None:
    account = scene.desk.account("J", currency=currency)
    scene.desk.document(account=account, amount=1000 * UNIT, currency=currency)
    scene.finance()
    told = scene.ocs("finance").done().out
    assert f" {shown}\n" in told
    assert told.count("1000") == told.count(shown)


def test_what_there_is_none_of_says_so(scene) -> None:
    scene.finance()
    assert scene.ocs("finance").done().out.count("(none)") == 4


def test_what_was_cancelled_counts_until_then(scene) -> None:
    desk, today = scene.desk, utc_now().date()
    account = desk.account("C")
    document = desk.document(
        account=account, amount=5 * UNIT, document_issued_date=today - 9 * DAY, document_due_date=today - 8 * DAY
    )
    desk.cancel_document(document)
    assert figures(scene.finance()) == {}
    assert figures(scene.finance("--as-of", str(today - DAY))) == {"DUE": 5, "openBalance": 5}


def test_finance_may_be_where_the_system_is_not(scene, monkeypatch, tmp_path) -> None:
    scene.desk.document(account=scene.desk.account("J"), amount=1000 * UNIT)
    scene.finance()
    monkeypatch.setenv("OCS_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}")
    ended = scene.ocs("finance").done()
    assert "The configuration cannot be read" in ended.err
    assert "1000.00 EUR" in ended.out
