"""Within the caller's own transaction, across lost connections, and how often the database is waited for."""

import datetime as dt
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from ocs_adapters.sql import bell
from ocs_adapters.sql.database import connect
from ocs_adapters.sql.drivers import driver
from ocs_adapters.sql.outbox import SqlOutbox
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.entities.document import Document
from ocs_core.errors import RequestRejected, StoreBusy, StoreUnavailable
from ocs_core.ports import Found
from ocs_core.queries import AccountSearch, PaymentSearch
from ocs_core.testkit.contracts.subject import at_once, beside
from ocs_core.testkit.contracts.values import id_of
from ocs_core.testkit.examples import UNIT, Desk, named
from ocs_core.testkit.fakes import NOW, FaultyStore
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.create_any_document import CreateAnyDocument, CreateAnyDocumentRequest
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest
from tests.contract.postgres import cluster
from tests.contract.stores import DATABASES, postgres_database, sqlite_database, subject_on

own = sa.MetaData()
orders = sa.Table("service_orders", own, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))


@contextmanager
def _service(database) -> Iterator[sa.Engine]:
    """A service's own engine on the same database, made the way its owners would make it."""
    url = database.engine.url
    engine = sa.create_engine(url)
    own.create_all(engine)
    yield engine
    engine.dispose()


@DATABASES
def test_a_use_case_stands_with_the_callers_commit(make) -> None:
    with make() as database, _service(database) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(orders).values(id=1, text="new customer"))
            account = Desk(SqlStore(connection)).account("A-1")
        assert subject_on(database).queries.account(named(account)) == account
        assert [p.code for p in subject_on(database).published()] == ["account", "payer"]
        with engine.connect() as connection:
            assert connection.scalar(sa.select(orders.c.text)) == "new customer"


@DATABASES
def test_a_use_case_falls_with_the_callers_rollback(make) -> None:
    with make() as database, _service(database) as engine:
        with engine.begin() as connection:
            Desk(SqlStore(connection)).account("A-1")
            connection.execute(sa.insert(orders).values(id=1, text="new customer"))
            connection.rollback()
        assert subject_on(database).queries.accounts(AccountSearch()).items == ()
        assert subject_on(database).published() == []
        with engine.connect() as connection:
            assert connection.scalar(sa.select(orders.c.text)) is None


@DATABASES
def test_a_refused_use_case_leaves_the_callers_transaction_usable(make) -> None:
    with make() as database, _service(database) as engine:
        with engine.begin() as connection:
            desk = Desk(SqlStore(connection))
            desk.account("A-1")
            with pytest.raises(RequestRejected):
                desk.account("A-1")
            connection.execute(sa.insert(orders).values(id=1, text="went on"))
        assert len(subject_on(database).queries.accounts(AccountSearch()).items) == 1
        with engine.connect() as connection:
            assert connection.scalar(sa.select(orders.c.text)) == "went on"


@DATABASES
def test_a_connection_outside_a_transaction_is_refused(make) -> None:
    with make() as database, _service(database) as engine, engine.connect() as connection:
        desk = Desk(SqlStore(connection))
        with pytest.raises(RuntimeError, match="begin a transaction"):
            desk.account("A-1")


@DATABASES
def test_a_commit_whose_answer_is_lost_is_settled_by_repeating_the_request(make) -> None:
    with make() as database:
        subject = subject_on(database)
        desk = Desk(subject.store)
        account = desk.account("A-1")
        faults = 0
        for fault_at in range(1, 100):
            desk.store = faulty = FaultyStore(subject.store, fault_at, StoreUnavailable("cut"), answer_lost=True)
            payment = desk.payment(account=account, external_payment_no=f"E-{fault_at}")
            (newest, *_) = subject.queries.payments(PaymentSearch()).items
            assert newest == payment
            assert len(subject.queries.payments(PaymentSearch(limit=200)).items) == fault_at
            if not faulty.has_failed:
                break
            faults += 1
        assert faults >= 5


class _Cutter:
    """A socket in front of PostgreSQL's own that cuts the connection at a COMMIT: before the server hears it, or before
    the client hears the answer."""

    def __init__(self, server: Path, *, before: bool) -> None:
        self.folder = tempfile.mkdtemp(prefix="ocs-cut-", dir="/tmp")
        self.server, self.before, self.armed = server, before, threading.Event()
        self.cuts = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.folder}/.s.PGSQL.5432")
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(str(self.server / ".s.PGSQL.5432"))
            cut = threading.Event()
            threading.Thread(target=self._to_server, args=(client, upstream, cut), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, upstream, cut), daemon=True).start()

    def _to_server(self, client: socket.socket, upstream: socket.socket, cut: threading.Event) -> None:
        while data := _receive(client):
            if b"COMMIT" in data and self.armed.is_set():
                self.armed.clear()
                self.cuts += 1
                cut.set()
                if self.before:
                    break
            with suppress(OSError):
                upstream.sendall(data)
        if not cut.is_set() or self.before:
            _close(client, upstream)

    def _to_client(self, client: socket.socket, upstream: socket.socket, cut: threading.Event) -> None:
        while data := _receive(upstream):
            if cut.is_set():
                break
            with suppress(OSError):
                client.sendall(data)
        _close(client, upstream)

    def close(self) -> None:
        self.listener.close()
        os.unlink(f"{self.folder}/.s.PGSQL.5432")  # noqa: PTH108
        os.rmdir(self.folder)  # noqa: PTH106


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.mark.parametrize("before", [True, False], ids=["before the server hears it", "before the client hears it"])
def test_a_connection_cut_during_commit_performs_the_command_once(before) -> None:
    with postgres_database() as direct:
        cutter = _Cutter(Path(direct.engine.url.query["host"]), before=before)
        database = connect(f"postgresql://postgres@/{direct.engine.url.database}?host={cutter.folder}")
        subject = subject_on(database)
        desk = Desk(subject.store)
        account = desk.account("A-1")
        for number in range(5):
            cutter.armed.set()
            request = RegisterPaymentRequest(
                request_id=f"cut-{number}",
                account=named(account),
                external_payment_no=f"E-{number}",
                payment_amount=UNIT,
                currency="EUR",
                payment_method="cash",
                payment_date_received=NOW,
            )
            answer = desk.perform(RegisterPayment, request)
            assert answer.replayed is not before
            assert desk.perform(RegisterPayment, request).steps == answer.steps
        assert cutter.cuts == 5
        assert len(subject_on(direct).queries.payments(PaymentSearch()).items) == 5
        assert [p.code for p in subject_on(direct).published()].count("payment") == 5
        database.close()
        cutter.close()


def test_a_postgresql_that_is_gone_is_told_as_unavailable(tmp_path) -> None:
    database = connect(f"postgresql://postgres@/nothing?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        Desk(SqlStore(database)).account("A-1")
    database.close()


@contextmanager
def _accounts_held(database) -> Iterator[None]:
    """Somebody else holds the accounts: on SQLite, the whole file."""
    on_sqlite = database.driver.name == "sqlite"
    other = sa.create_engine(database.engine.url, connect_args={"isolation_level": None} if on_sqlite else {})
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if on_sqlite else "SELECT 1 FROM accounts FOR UPDATE")
        yield
        connection.rollback()
    other.dispose()


@DATABASES
def test_what_others_hold_is_waited_for_so_long_and_no_longer(make, monkeypatch) -> None:
    """A caller is told to come again; a server that waits for ever has no threads left for anybody else."""
    monkeypatch.setattr(driver, "LOCK_SECONDS", 1)
    with make() as database:
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        with _accounts_held(database):
            began = time.monotonic()
            with pytest.raises(StoreBusy):
                desk.payment(account=account)
            assert 0.9 < time.monotonic() - began < 4
        assert desk.payment(account=account).account == account.ref


def test_a_writer_of_sqlite_waits_for_the_others_of_its_process_so_long_and_no_longer(monkeypatch) -> None:
    monkeypatch.setattr(driver, "LOCK_SECONDS", 1)
    with sqlite_database() as database, database.transaction():
        outcomes = at_once([lambda: Desk(subject_on(database).store).account("A-1")] * 2)
    assert [type(outcome) for outcome in outcomes] == [StoreBusy] * 2


def test_connections_that_died_in_the_pool_are_replaced_without_a_word() -> None:
    with postgres_database() as database:
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        with ExitStack() as many:
            for _ in range(10):
                many.enter_context(database.transaction())
        with database.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.rollback()
        assert desk.payment(account=account).account == account.ref


@pytest.mark.parametrize("mission", [True, False], ids=["mission's", "others"])
def test_the_database_is_waited_for_at_most_so_often(mission, monkeypatch) -> None:
    """Answers waited for on PostgreSQL: at most 4 for the mission's commands, 6 for others; the bell's ring after them apart."""
    monkeypatch.setattr(bell, "RING_SECONDS", 3600)
    with postgres_database() as database:
        desk = Desk(subject_on(database).store)
        account = desk.account("A-1")
        event = desk.event(account=account)
        document, payment = desk.document(account=account), desk.payment(account=account)
        unidentified, other = desk.payment(), desk.payment()
        other_document = desk.document(account=account)
        who, common = named(account), {"request_id": "r"}
        credit = AdjustChargeableEventRequest(
            request_id="r1",
            chargeable_event_ref_id=event.ref_id,
            charge_type=ChargeType.CREDIT,
            charge_adjustment=UNIT,
            currency="EUR",
            tax_included=True,
            account=who,
        )
        identify = IdentifyPaymentInRequest(request_id="r6", account=who, payment_ref_id=other.ref_id)
        commands = {
            "register": lambda: desk.payment(account=account, external_payment_no="E-1"),
            "adjust": lambda: desk.perform(AdjustChargeableEvent, credit),
            "flag": lambda: desk.perform(
                UpdateInvoicingFlag, UpdateInvoicingFlagRequest(request_id="r2", account=who, invoicing_excluded=True)
            ),
            "offset": lambda: desk.perform(
                UpdateDueDateOffset, UpdateDueDateOffsetRequest(request_id="r3", account=who, due_date_offset=30)
            ),
        }
        others = {
            "account": lambda: desk.account("A-2"),
            "document": lambda: desk.document(account=account, external_document_no="X"),
            "event": lambda: desk.event(account=account, external_id="E"),
            "identify": lambda: desk.perform(IdentifyPaymentIn, identify),
            "assign": lambda: desk.assign(payment, document, UNIT),
            "cancel assignment": lambda: desk.cancel_assignment(payment, document),
            "cancel identification": lambda: desk.cancel_identification(payment),
            "cancel payment": lambda: desk.cancel_payment(payment),
            "cancel document": lambda: desk.cancel_document(other_document),
            "payer": lambda: desk.update_payer(account, iban="ES1"),
            "identify and assign": lambda: desk.assign(unidentified, document, UNIT),
            "run": lambda: desk.start_run(as_of=NOW - dt.timedelta(days=1)),
            "state": lambda: desk.perform(
                UpdateAccountState,
                UpdateAccountStateRequest(**common, account=who, state=AccountState.SUSPENDED),
            ),
        }
        waited = {}
        for name, command in (commands if mission else others).items():
            before = database.driver.round_trips
            command()
            waited[name] = database.driver.round_trips - before
        assert {name: n for name, n in waited.items() if n > (4 if mission else 6)} == {}
        assert all(n > 0 for n in waited.values())


def test_nobody_waits_for_the_numbers_of_a_document_that_is_still_decided_about() -> None:
    """The series is held from when everything is decided until the commit: between one's look and its end another draws."""
    with postgres_database() as database:
        desk = Desk(subject_on(database).store)
        account, others = desk.account("A-1"), list[Document]()

        def another_is_faster(request: CreateAnyDocumentRequest, found: Found) -> None:
            if request.external_document_no == "slow":
                others.append(beside(lambda: desk.document(account=account)).future.result(timeout=4))

        desk.own_rules = {CreateAnyDocument: [another_is_faster]}
        slow = desk.document(account=account, external_document_no="slow")
        assert [document.document_no for document in (*others, slow)] == ["D0000000001", "D0000000002"]


@DATABASES
def test_what_waits_in_the_outbox_is_forgotten_only_when_it_is_done(make) -> None:
    with make() as database:
        Desk(subject_on(database).store).account("A-1")
        outbox = SqlOutbox(database)
        rows = outbox.waiting(10)
        assert outbox.waiting(10) == rows
        outbox.done(rows[:1])
        assert outbox.waiting(10) == rows[1:]
        outbox.done(rows)
        assert outbox.waiting(10) == []


def test_a_snapshot_is_begun_without_a_warning_of_the_server() -> None:
    with postgres_database() as database:
        warned: list[str] = []
        event.listen(
            database.engine,
            "connect",
            lambda connection, _: connection.add_notice_handler(lambda notice: warned.append(notice.message_primary)),
        )
        with SqlStore(database).begin(snapshot=True) as uow:
            uow.slices_left(id_of(1))
        assert warned == []


def test_the_server_too_is_told_how_soon_it_is_to_notice_who_is_cut_off() -> None:
    """What a worker holds whose cable was pulled would be held for ever: nobody else tells the server."""
    with cluster() as server:
        server.listen("127.77.0.1", "127.0.0.0/8")
        database = connect("postgresql://postgres@127.77.0.1/postgres")
        with database.engine.connect() as connection:
            settings = dict(connection.exec_driver_sql("SELECT name, setting FROM pg_settings").all())
        database.close()
    assert {name: settings[name] for name in driver.CUT_OFF} == {n: str(value) for n, value in driver.CUT_OFF.items()}
