"""Finance's figures are what the core says of each payer, as of whatever day, wherever payments went since."""

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import suppress

import attrs
import pytest

from ocs_adapters.consumers.finance.figures import Figures
from ocs_adapters.serial import encode
from ocs_adapters.streaming.relay import Relay
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import AccountType
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryOutbox, MemoryStore
from ocs_core.testkit.examples import NOW, UNIT, Desk, configuration
from tests.contract.figures import open_items
from tests.contract.stores import postgres_database, sqlite_database
from tests.contract.test_reconcile import Scene

COMMANDS = 150
CONFIGURED = configuration(
    AccountType(code="islander", payment_responsible=True, zone="Pacific/Auckland"),
)


@pytest.fixture(params=[sqlite_database, postgres_database], ids=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with request.param() as database:
        yield Scene(database, Desk(MemoryStore(CONFIGURED)))


@pytest.mark.parametrize("seed", range(3))
def test_as_of_every_day_the_figures_are_the_sums_of_what_the_core_says_of_each_payer(scene: Scene, seed: int) -> None:
    history = History(random.Random(seed), scene.desk)
    history.happens()
    assert history.moved > 2, "too little moved to tell anything"
    finance_is_told(scene)
    now = scene.desk.clock()
    figures = Figures(database=scene.database, configuration=CONFIGURED, now=now)
    for day in (None, *(now.date() - dt.timedelta(days=days) for days in range((now - NOW).days + 3))):
        assert figures.open_items(day) == open_items(scene.desk.store, CONFIGURED, now, day), day


def test_money_that_moved_to_another_account_had_paid_where_it_was(scene: Scene) -> None:
    """On the 14th it had paid an invoice of A-1: nothing of it was left for A-2, to which it belongs by now."""
    desk = scene.desk
    before, after = desk.account("A-1"), desk.account("A-2")
    payment, document = desk.payment(account=before), desk.document(account=before, amount=50 * UNIT)
    desk.assign(payment, document, 50 * UNIT)
    desk.clock.advance(days=3)
    desk.cancel_assignment(payment, document)
    desk.cancel_identification(payment)
    finance_is_told(scene)
    figures = Figures(database=scene.database, configuration=CONFIGURED, now=desk.clock())
    was = figures.open_items(NOW.date())
    assert (was.receivables, was.unidentified, was.balances) == ([], [], [])
    desk.assign(payment, desk.document(account=after, amount=50 * UNIT), 20 * UNIT)
    finance_is_told(scene)
    assert figures.open_items(NOW.date()) == was
    assert [(b.figure, b.amount // UNIT) for b in figures.open_items().balances] == [
        ("FUTURE", 80),
        ("OVERPAYMENT", -30),
        ("openBalance", 50),
    ]


def finance_is_told(scene: Scene) -> None:
    Relay(MemoryOutbox(scene.desk.store, encode), scene.log).drain()
    scene.tell_finance()


@attrs.define
class History:
    """Payments come, pay as of some day, are taken back and move; invoices and credits are issued, money is sent back."""

    chance: random.Random
    desk: Desk
    moved: int = 0
    _accounts: list[Account] = attrs.field(factory=list, init=False)
    _payments: list[Payment] = attrs.field(factory=list, init=False)
    _documents: list[Document] = attrs.field(factory=list, init=False)
    _assigned: list[tuple[Payment, Document]] = attrs.field(factory=list, init=False)
    _homes: dict[object, object] = attrs.field(factory=dict, init=False)

    def happens(self) -> None:
        for number, account_type in enumerate(("payer", "payer", "islander")):
            self._accounts.append(self.desk.account(f"A-{number}", account_type=account_type))
            self._documents.append(self.desk.document(account=self._accounts[-1]))
            self._payments.append(self.desk.payment(account=self._accounts[-1]))
        for _ in range(COMMANDS):
            self.desk.clock.advance(hours=self.chance.randint(1, 8))
            with suppress(RequestRejected):
                self._one()

    def _one(self) -> None:
        desk, chance = self.desk, self.chance
        account, amount = chance.choice(self._accounts), chance.choice([1, 2, 5]) * UNIT
        then = desk.clock() - dt.timedelta(hours=chance.choice([0, 0, 1, 9, 50, 150]))
        currency = chance.choice(["EUR", "EUR", "EUR", "USD"])
        match chance.choice(
            ["comes", "goes", "issued", "credited", *["pays"] * 8, *["back"] * 3, *["leaves"] * 3, "ends"]
        ):
            case "comes":
                made = {"account": chance.choice([account, None]), "amount": amount, "currency": currency}
                self._payments.append(desk.payment(**made, payment_date_received=then))
            case "goes":
                desk.payment(account=account, amount=amount, payment_type=PaymentType.OUT, payment_date_sent=then)
            case "issued" | "credited" as how:
                kind = "genericInvoice" if how == "issued" else "creditNote"
                made = {"account": account, "document_type": kind, "amount": amount, "currency": currency}
                due = (desk.clock() + dt.timedelta(days=chance.randint(0, 9))).date()
                self._documents.append(desk.document(**made, document_due_date=due))
            case "pays":
                self._pays(chance.choice(self._payments), amount, then)
            case "back" if self._assigned:
                desk.cancel_assignment(*self._assigned.pop(chance.randrange(len(self._assigned))))
            case "leaves":
                self._leaves(chance.choice(self._payments))
            case "ends":
                if chance.random() < 0.5:
                    desk.cancel_payment(chance.choice(self._payments))
                else:
                    desk.cancel_document(chance.choice(self._documents))

    def _leaves(self, payment: Payment) -> None:
        """Nothing that it has paid keeps it; more often than not it goes to another account at once."""
        for assigned in [a for a in self._assigned if a[0] is payment]:
            self._assigned.remove(assigned)
            self.desk.cancel_assignment(*assigned)
        self.desk.cancel_identification(payment)
        if self.chance.random() < 0.7:
            self._pays(payment, UNIT, self.desk.clock())

    def _pays(self, payment: Payment, amount: int, since: dt.datetime) -> None:
        found = self.desk.store.entities
        home = found[Payment][payment.ref_id].account
        fitting = [
            document
            for document in found[Document].values()
            if (document.currency, document.due_amount_type) == (payment.currency, DueAmountType.AR)
            and home in {None, document.account}
        ]
        if fitting:
            document = self.chance.choice(fitting)
            self.desk.assign(payment, document, amount, effective_date=since)
            self._assigned.append((payment, document))
            self.moved += self._homes.get(payment.ref_id, document.account) != document.account
            self._homes[payment.ref_id] = document.account
