"""Each filter of each search, alone, is answered through an index: shown by the databases' own plans."""

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
import pytest

from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.lookups import items
from ocs_adapters.sql.queries import search_call
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Account, AccountRef, AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.document import Document, DocumentState, DueAmountType
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, PaymentSearch, Search
from ocs_core.testkit.fakes import NOW
from tests.contract.explained import plan_of, steps_of
from tests.contract.stores import postgres_database, sqlite_database, subject_on

ROWS = 6000
SOME = 4321


def _id(kind: int, number: int) -> UUID:
    return UUID(int=(1 << 96 | number) << 16 | 7 << 76 | 2 << 62 | kind)


def _fill(database: Database) -> None:
    """Enough rows for a planner to care, with one that each selective filter finds."""
    day, moment = NOW.date(), dt.timedelta(minutes=1)
    with subject_on(database).store.begin() as uow:
        for n in range(ROWS):
            rare = n == SOME
            account = AccountRef(_id(1, n), f"A-{n}")
            uow.add(
                Account(
                    ref_id=account.ref_id,
                    external_id=account.external_id,
                    account_type="technical" if rare else "payer",
                    currency="EUR",
                    customer=f"C-{n}",
                    payer_account=account,
                    state=AccountState.DEACTIVATED if rare else AccountState.ACTIVE,
                )
            )
            uow.add(
                Payment(
                    ref_id=_id(2, n),
                    payment_no=f"P-{n}",
                    external_payment_no=f"E-{n}",
                    payment_type=PaymentType.OUT if rare else PaymentType.IN,
                    payment_method="cash",
                    payment_amount=n,
                    remaining_amount=n,
                    currency="EUR",
                    payment_date_received=NOW + n * moment,
                    payment_ref1=f"R-{n}",
                    payment_ref3=f"S-{n}",
                    account=None if rare else account,
                    cancelled=rare,
                )
            )
            uow.add(
                Document(
                    ref_id=_id(3, n),
                    document_no=f"D-{n}",
                    external_document_no=f"X-{n}",
                    document_type="creditNote" if rare else "genericInvoice",
                    account=account,
                    currency="EUR",
                    document_issued_date=day + dt.timedelta(days=n),
                    document_tax_date=day,
                    document_due_date=day,
                    total_amount=n,
                    total_amount_tax=0,
                    total_amount_net=n,
                    due_amount=n - 1 if rare else n,
                    due_amount_type=DueAmountType.AR,
                    payment_ref2=f"R-{n}",
                )
            )
            uow.add(
                ChargeableEvent(
                    ref_id=_id(4, n),
                    account=account,
                    event_type="rare" if rare else "call",
                    event_date=NOW + n * moment,
                    charge=n,
                    tax=0,
                    charge_with_tax=n,
                    currency="EUR",
                    tax_rate=0,
                    invoiced_document_ref_id=_id(3, n) if rare else None,
                    original_ref_id=_id(4, 1) if rare else None,
                )
            )
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        if database.driver.name == "postgresql":
            connection.commit()


@pytest.fixture(scope="module")
def sqlite_filled():
    with sqlite_database() as database:
        _fill(database)
        yield database


@pytest.fixture(scope="module")
def postgres_filled():
    with postgres_database() as database:
        _fill(database)
        yield database


LATE = ROWS - 3
MINUTES = dt.timedelta(minutes=1)
ALONE: list[tuple[type, Search]] = [
    (Account, AccountSearch(account_ref_id=_id(1, SOME))),
    (Account, AccountSearch(account_external_id=f"A-{SOME}")),
    (Account, AccountSearch(external_id=f"A-{SOME}")),
    (Account, AccountSearch(account_type="technical")),
    (Account, AccountSearch(customer=f"C-{SOME}")),
    (Account, AccountSearch(state=AccountState.DEACTIVATED)),
    (Payment, PaymentSearch(account_ref_id=_id(1, SOME))),
    (Payment, PaymentSearch(account_external_id=f"A-{SOME}")),
    (Payment, PaymentSearch(date_from=NOW + LATE * MINUTES)),
    (Payment, PaymentSearch(date_to=NOW + 2 * MINUTES)),
    (Payment, PaymentSearch(amount_from=LATE)),
    (Payment, PaymentSearch(amount_to=2)),
    (Payment, PaymentSearch(payment_ref=f"R-{SOME}")),
    (Payment, PaymentSearch(payment_no=f"P-{SOME}")),
    (Payment, PaymentSearch(external_payment_no=f"E-{SOME}")),
    (Payment, PaymentSearch(payment_type=PaymentType.OUT)),
    (Payment, PaymentSearch(payment_type=PaymentType.IN)),
    (Payment, PaymentSearch(identified=False)),
    (Payment, PaymentSearch(identified=True)),
    (Payment, PaymentSearch(cancelled=True)),
    (Payment, PaymentSearch(cancelled=False)),
    (Document, DocumentSearch(account_ref_id=_id(1, SOME))),
    (Document, DocumentSearch(account_external_id=f"A-{SOME}")),
    (Document, DocumentSearch(date_from=NOW.date() + dt.timedelta(days=LATE))),
    (Document, DocumentSearch(date_to=NOW.date() + dt.timedelta(days=2))),
    (Document, DocumentSearch(amount_from=LATE)),
    (Document, DocumentSearch(amount_to=2)),
    (Document, DocumentSearch(payment_ref=f"R-{SOME}")),
    (Document, DocumentSearch(document_no=f"D-{SOME}")),
    (Document, DocumentSearch(external_document_no=f"X-{SOME}")),
    (Document, DocumentSearch(document_type="creditNote")),
    (Document, DocumentSearch(state=DocumentState.PARTIALLY_PAID)),
    (ChargeableEvent, ChargeableEventSearch(account_ref_id=_id(1, SOME))),
    (ChargeableEvent, ChargeableEventSearch(account_external_id=f"A-{SOME}")),
    (ChargeableEvent, ChargeableEventSearch(date_from=NOW + LATE * MINUTES)),
    (ChargeableEvent, ChargeableEventSearch(date_to=NOW + 2 * MINUTES)),
    (ChargeableEvent, ChargeableEventSearch(amount_from=LATE)),
    (ChargeableEvent, ChargeableEventSearch(amount_to=2)),
    (ChargeableEvent, ChargeableEventSearch(ref_id=_id(4, SOME))),
    (ChargeableEvent, ChargeableEventSearch(event_type="rare")),
    (ChargeableEvent, ChargeableEventSearch(invoiced=True)),
    (ChargeableEvent, ChargeableEventSearch(invoiced=False)),
    (ChargeableEvent, ChargeableEventSearch(original_ref_id=_id(4, 1))),
]


def _given(search: Search) -> dict[str, Any]:
    return {k: v for k, v in attrs.asdict(search).items() if v is not None and k != "limit"}


def _name(value: Any) -> str:
    return "-".join(_given(value)) if isinstance(value, Search) else value.__name__


@pytest.mark.parametrize(("cls", "search"), ALONE, ids=_name)
def test_postgresql_answers_each_filter_alone_through_an_index(postgres_filled, cls, search) -> None:
    call = search_call(cls, search, Configuration())
    nodes = plan_of(postgres_filled, call)
    table = search_table(cls)
    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == table]
    assert [n for n in nodes if "Index" in n["Node Type"]]


@pytest.mark.parametrize(("cls", "search"), ALONE, ids=_name)
def test_sqlite_answers_each_filter_alone_through_an_index(sqlite_filled, cls, search) -> None:
    call = search_call(cls, search, Configuration())
    steps = steps_of(sqlite_filled, call)
    of_table = [step for step in steps if step.split()[1] == search_table(cls) or "MULTI-INDEX" in step]
    assert of_table
    assert all("USING" in step or "MULTI-INDEX" in step for step in of_table)


NAMES = [
    (Payment, ("ref_id",), (_id(2, SOME),)),
    (Payment, ("payment_no",), (f"P-{SOME}",)),
    (Payment, ("external_payment_no",), (f"E-{SOME}",)),
    (Document, ("ref_id",), (_id(3, SOME),)),
    (Document, ("document_no",), (f"D-{SOME}",)),
    (Document, ("external_document_no",), (f"X-{SOME}",)),
]


@pytest.mark.parametrize(("cls", "names", "values"), NAMES, ids=str)
def test_a_command_finds_what_it_names_through_an_index(postgres_filled, sqlite_filled, cls, names, values) -> None:
    rows = rows_of(cls)
    bound = {f"{rows.table.name}_{name}": value for name, value in zip(names, values, strict=True)}
    call = Call(items._item(rows, names), bound)
    nodes = plan_of(postgres_filled, call)
    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == rows.table.name]
    steps = steps_of(sqlite_filled, call)
    assert [step for step in steps if step.startswith(f"SEARCH {rows.table.name} USING")]


def test_every_filter_of_every_search_is_looked_at() -> None:
    for cls in (AccountSearch, PaymentSearch, DocumentSearch, ChargeableEventSearch):
        looked_at = {name for _, search in ALONE if type(search) is cls for name in _given(search)}
        assert looked_at == {f.name for f in attrs.fields(cls)} - {"limit", "cursor"}


def search_table(cls: type) -> str:
    return {Account: "accounts", Payment: "payments", Document: "documents", ChargeableEvent: "chargeable_events"}[cls]
