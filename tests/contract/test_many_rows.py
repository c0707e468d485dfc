"""Many rows at once: what is written is what was given, whatever is in it, and whoever was faster."""

import datetime as dt

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ocs_adapters.bootstrap.consumers import KINDS
from ocs_adapters.sql import tables
from ocs_adapters.sql.arrays import array
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Payer
from ocs_core.errors import Conflict
from ocs_core.messages import CollectionBalanceCalculated, Message
from ocs_core.ports import Store
from ocs_core.testkit.contracts.values import a_payer, an_account, id_of
from ocs_core.testkit.examples import NOW
from ocs_core.testkit.strategies.entities import payers
from tests.contract.stores import DATABASES, subject_on

MANY = 300
"""More than go into one statement."""


def a_message(number: int, account: int, transaction: str = "t") -> Message:
    payload = CollectionBalanceCalculated(
        effective_date=NOW,
        account=an_account(account).ref,
        currency="EUR",
        collection_balance=-number,
        oldest_document_due_date=None if number % 2 else NOW.date(),
    )
    key = payload.account.ref_id
    return Message(
        ref_id=id_of(number), key=key, subject=key, transaction_id=transaction, occurred_at=NOW, payload=payload
    )


def keep(store: Store, payers: list[Payer]) -> None:
    with store.begin() as uow:
        for number, payer in enumerate(payers, start=1):
            account = an_account(number)
            uow.add(account)
            uow.add(attrs.evolve(payer, account=account.ref, version=1))


def payers_in(database: Database) -> list[Payer]:
    rows = rows_of(Payer)
    (found,) = database.read(Call(rows.select().order_by(rows.key)))
    return list(map(rows.reader(database.driver), found))


@DATABASES
def test_what_is_published_already_is_published_once_among_many(make) -> None:
    with make() as database:
        store = subject_on(database).store
        first = [a_message(number, number) for number in range(5, 2 * MANY, 50)]
        with store.begin() as uow:
            for message in first:
                uow.publish(message)
        with store.begin() as uow:
            for number in range(1, 2 * MANY):
                uow.publish(a_message(number, number, "a second time"))
        waiting = waiting_in(database)
        assert len(waiting) == 2 * MANY - 1
        told = {row.ref_id: row.headers["X-Ocs-Io-transaction-id"] for row in waiting}
        assert {told[message.ref_id] for message in first} == {"t"}
        assert list(told.values()).count("a second time") == 2 * MANY - 1 - len(first)


@pytest.mark.parametrize(
    "column",
    [
        column
        for made in (tables, *(kind.tables for kind in KINDS.values()))
        for table in made.metadata.tables.values()
        for column in table.columns
    ],
    ids=lambda column: f"{column.table.name}.{column.name}",
)
def test_a_column_of_any_table_can_be_written_in_bulk(column: sa.Column) -> None:
    assert array(column.type, [None]).content.endswith(b"\xff\xff\xff\xff")


@DATABASES
def test_many_messages_keep_their_order_and_their_headers(make) -> None:
    with make() as database:
        messages = [a_message(number, number % 3, 'transaction "ž"\\') for number in range(1, MANY)]
        with subject_on(database).store.begin() as uow:
            for message in messages:
                uow.publish(message)
        waiting = waiting_in(database)
        assert [row.ref_id for row in waiting] == [message.ref_id for message in messages]
        assert [dict(row.headers) for row in waiting] == [message.headers for message in messages]


def waiting_in(database: Database) -> list:
    return list(SqlOutbox(database).waiting(10 * MANY))


@DATABASES
@settings(max_examples=5)
@given(drawn=st.data())
def test_many_payers_are_written_as_they_are(make, drawn: st.DataObject) -> None:
    few = drawn.draw(st.lists(payers(), min_size=3, max_size=6))
    changed = drawn.draw(st.lists(payers(), min_size=3, max_size=6))
    with make() as database:
        store = subject_on(database).store
        keep(store, [few[n % len(few)] for n in range(MANY)])
        before = payers_in(database)
        wanted = [
            attrs.evolve(changed[n % len(changed)], account=payer.account, version=payer.version)
            for n, payer in enumerate(before)
        ]
        with store.begin(snapshot=True) as uow:
            saved = [uow.save(payer) for payer in wanted]
        assert payers_in(database) == saved
        assert {payer.version for payer in saved} == {2}


def save_all(store: Store, changed: list[Payer]) -> None:
    with store.begin() as uow:
        for payer in changed:
            uow.save(payer)


@DATABASES
def test_one_of_many_that_changed_meanwhile_is_a_conflict_and_nothing_is_written(make) -> None:
    with make() as database:
        store = subject_on(database).store
        keep(store, [a_payer(an_account(1)) for _ in range(MANY)])
        read = payers_in(database)
        with store.begin() as uow:
            uow.save(read[7])
        stale = [attrs.evolve(payer, collection_balance=1, oldest_due_date=dt.date(2024, 5, 1)) for payer in read]
        with pytest.raises(Conflict):
            save_all(store, stale)
        assert {payer.collection_balance for payer in payers_in(database)} == {None}
