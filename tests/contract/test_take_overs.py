"""What was taken over is remembered as it was: in memory, on SQLite, on PostgreSQL; and races end with one winner."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import attrs
import pytest
import sqlalchemy as sa

from ocs_adapters.bootstrap import Platform, platform_on
from ocs_adapters.clock import new_id
from ocs_adapters.files.takeover import Importer
from ocs_adapters.files.undoing import Undoing
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_core.entities.account import AccountName
from ocs_core.errors import Conflict
from ocs_core.memory import MemoryStore, MemoryTakeOvers
from ocs_core.ports import Store, TakenRow, TakeOver, TakeOvers, TakeOverState
from ocs_core.testkit.examples import NOW, configuration
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.take_over_receivables import FileRefused, Invoice, Terms
from tests.contract.stores import DATABASES, postgres_database, sqlite_database

DAY = dt.date(2024, 5, 14)


Transactions = Callable[[], AbstractContextManager[tuple[Store, TakeOvers]]]


@contextmanager
def in_memory() -> Iterator[Transactions]:
    store = MemoryStore(configuration())
    kept = MemoryTakeOvers(store)

    @contextmanager
    def transaction() -> Iterator[tuple[Store, TakeOvers]]:
        yield store, kept

    yield transaction


@contextmanager
def on(make) -> Iterator[Transactions]:
    with make() as database:
        yield platform_on(database, Settings()).taking_over


EVERYWHERE = pytest.mark.parametrize(
    "opened",
    [in_memory, lambda: on(sqlite_database), lambda: on(postgres_database)],
    ids=["memory", "sqlite", "postgresql"],
)


def a_take_over(**changed) -> TakeOver:
    values = {
        "ref_id": new_id(),
        "file_name": "ledger.csv",
        "digest": hashlib.sha256(b"x").hexdigest(),
        "terms": "{}",
        "state": TakeOverState.WRITING,
        "began_at": NOW,
    }
    return TakeOver(**values | changed)


@EVERYWHERE
def test_a_take_over_is_kept_as_it_is_and_as_it_was_changed(opened) -> None:
    first, second = a_take_over(state=TakeOverState.UNDONE), a_take_over(created={"accounts": 3}, through=7)
    with opened() as transactions:
        with transactions() as (_, note):
            note.begin(first)
            note.begin(second)
            assert (note.locked(first.ref_id), note.locked(second.ref_id)) == (first, second)
            assert note.locked(new_id()) is None
        changed = attrs.evolve(second, state=TakeOverState.DONE, through=9, created={"accounts": 4}, ended_at=NOW)
        with transactions() as (_, note):
            note.keep(changed)
        with transactions() as (_, note):
            assert list(note.all()) == list(note.of_file(first.digest)) == [changed, first], "the newest first"
            assert list(note.of_file("another")) == []


@EVERYWHERE
def test_one_file_is_under_way_once(opened) -> None:
    with opened() as transactions:
        with transactions() as (_, note):
            note.begin(a_take_over(state=TakeOverState.UNDOING))
            note.begin(a_take_over(digest="another"))
        with pytest.raises(Conflict), transactions() as (_, note):
            note.begin(a_take_over())


@EVERYWHERE
def test_the_last_rows_come_first_and_only_so_many(opened) -> None:
    take_over = a_take_over()
    rows = [
        TakenRow(
            take_over_ref_id=take_over.ref_id,
            line=line,
            account_ref_id=new_id(),
            account_made=line == 2,
            document_ref_id=new_id(),
            document_made=True,
            payment_ref_id=new_id() if line % 2 else None,
            payment_made=bool(line % 2),
            settlement_ref_id=new_id() if line % 2 else None,
        )
        for line in range(2, 9)
    ]
    with opened() as transactions:
        with transactions() as (_, note):
            note.begin(take_over)
            note.add_rows(rows)
            note.add_rows([attrs.evolve(rows[0], take_over_ref_id=new_id())])
        with transactions() as (_, note):
            assert list(note.last_rows(take_over.ref_id, 7, 3)) == [rows[5], rows[4], rows[3]]
            assert list(note.last_rows(take_over.ref_id, 3, 9)) == [rows[1], rows[0]]
            assert list(note.last_rows(take_over.ref_id, 1, 9)) == []


def invoices(*numbers: int, paid: int = 0) -> list[Invoice]:
    return [
        Invoice(
            line=number + 1,
            customer=f"C-{number % 2}",
            number=f"N-{number}",
            currency="EUR",
            issued=DAY,
            due=None,
            amount=5_000_000,
            paid=paid,
        )
        for number in numbers
    ]


def importer_on(platform: Platform) -> Importer:
    terms = Terms(as_of=DAY, account_type="payer", document_type="invoice", payment_method="transfer")
    services = platform.services
    configuration = services.queries.configuration()
    terms = attrs.evolve(
        terms,
        account_type=next(code for code, entry in configuration.account_types.items() if entry.payment_responsible),
        document_type=next(
            code for code, entry in configuration.document_types.items() if entry.due_amount_type in {None, "AR"}
        ),
        payment_method=next(iter(configuration.payment_methods)),
    )
    return Importer(services.queries, platform.taking_over, terms, clock=services.clock, ids=services.ids)


@DATABASES
def test_what_others_change_between_the_check_and_the_writing_stops_it_with_a_sentence(make) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        importer, rows = importer_on(platform), invoices(*range(1, 4))
        assert len(importer.check(rows).lacking) == 3
        services = platform.services
        importer.begin(begun := a_take_over())
        other = importer_on(platform)
        other.begin(theirs := a_take_over(digest="another"))
        other.write(theirs, [attrs.evolve(rows[2], amount=7_000_000)])
        with pytest.raises(
            FileRefused, match="Somebody changed what was checked: invoice N-3: the amount is stored as 7"
        ):
            importer.write(begun, rows)
        assert services.queries.account(AccountName(external_id="C-0")) is None, "the rows of that batch were kept out"


@DATABASES
def test_two_that_write_one_file_at_once_write_it_once(make, monkeypatch) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        monkeypatch.setattr("ocs_adapters.files.takeover.TOGETHER", 2)
        one, other, rows = importer_on(platform), importer_on(platform), invoices(*range(1, 8), paid=2_000_000)
        one.begin(begun := a_take_over())
        with platform.taking_over() as (store, note):
            one._write_some(begun, rows, store, note)
        done = other.write(begun, rows)
        with pytest.raises(FileRefused, match="it is DONE"):
            one.write(begun, rows)
        assert done.state is TakeOverState.DONE
        assert done.created == {"accounts": 2, "documents": 7, "payments": 7}


@DATABASES
def test_what_is_taken_back_leaves_nothing_open_at_any_time(make) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        importer, rows = importer_on(platform), invoices(*range(1, 5), paid=2_000_000)
        importer.begin(begun := a_take_over())
        done = importer.write(begun, rows)
        services = platform.services
        account = services.queries.account(AccountName(external_id="C-1"))
        assert account is not None
        undoing = Undoing(services.queries, platform.taking_over, clock=services.clock, ids=services.ids)
        assert undoing.check(done) == []
        assert undoing.take_back(done).state is TakeOverState.UNDONE
        ledger = services.queries.ledger(account.ref_id)
        assert ledger is not None
        assert {s.cancelled_at == s.effective_at for s in ledger.settlements} == {True}
        assert {p.cancelled_at == p.payment_date_received for p in ledger.payments} == {True}
        assert {d.cancelled for d in ledger.documents} == {True}
        with database.engine.connect() as connection:
            history = tables.payment_history.c
            told = connection.execute(sa.select(history.operation_parameters, history.ref_document_ref_id)).all()
        settled = [(json.loads(said), document) for said, document in told if "amount" in json.loads(said)]
        assigned = sorted(int(said["amount"]) for said, _ in settled)
        assert assigned == [-2_000_000] * 4 + [2_000_000] * 4, "a payment's history adds up to what is assigned"
        assert [str(document) for _, document in settled] == [said["documentRefId"] for said, _ in settled]
        again = importer_on(platform)
        again.begin(anew := a_take_over())
        assert again.write(anew, rows).created == {"accounts": 2, "documents": 4, "payments": 4}


@DATABASES
def test_a_document_that_somebody_else_made_meanwhile_keeps_an_account_from_being_taken_back(make) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        importer = importer_on(platform)
        importer.begin(begun := a_take_over())
        done = importer.write(begun, invoices(1, 2))
        services = platform.services
        CreateAnyDocument(services.store, clock=services.clock, ids=services.ids)(
            CreateAnyDocumentRequest(
                request_id="1",
                account=AccountName(external_id="C-1"),
                document_type=importer.terms.document_type,
                currency="EUR",
                amount=1_000_000,
                tax_included=True,
            )
        )
        undoing = Undoing(services.queries, platform.taking_over, clock=services.clock, ids=services.ids)
        undoing.take_back(done)
        assert undoing.accounts_kept == 1
        assert services.queries.account(AccountName(external_id="C-1")) is not None
        assert services.queries.account(AccountName(external_id="C-0")) is None


@DATABASES
def test_an_import_that_was_cut_off_may_be_taken_back_instead(make, monkeypatch) -> None:
    with make() as database:
        platform = platform_on(database, Settings())
        monkeypatch.setattr("ocs_adapters.files.takeover.TOGETHER", 2)
        importer, rows = importer_on(platform), invoices(*range(1, 8), paid=2_000_000)
        importer.begin(begun := a_take_over())
        with platform.taking_over() as (store, note):
            cut_off, _ = importer._write_some(begun, rows, store, note)
        services = platform.services
        undoing = Undoing(services.queries, platform.taking_over, clock=services.clock, ids=services.ids)
        undoing.take_back(cut_off)
        with pytest.raises(FileRefused, match="it is UNDONE"):
            importer.write(cut_off, rows)
        again = importer_on(platform)
        again.begin(anew := a_take_over())
        assert again.write(anew, rows).created == {"accounts": 2, "documents": 7, "payments": 7}
