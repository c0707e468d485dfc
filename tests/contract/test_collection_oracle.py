"""Collection runs against an independent oracle, payer by payer and message by message.

The company has 2,000 payers here; `OCS_ORACLE_PAYERS` asks for another size, and the bench checks its own, however large.
"""

import datetime as dt
import functools
import itertools
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_adapters.sql import tables
from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.rows import rows_of
from ocs_core.entities.account import Account, AccountRef, AccountState, Payer
from ocs_core.entities.configuration import CollectionSetting, CollectionThreshold
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.entities.settlement import Settlement
from ocs_core.ledger import Ledger
from ocs_core.testkit.examples import NOW, UNIT
from ocs_core.testkit.strategies import ledgers
from ocs_core.usecases.assign_payment_in_to_document import (
    AssignPaymentInToDocument,
    AssignPaymentInToDocumentRequest,
)
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest
from tests.contract import company, oracle
from tests.contract.stores import DATABASES, postgres_database, sqlite_database

LEDGERS = 200
WRITERS = 4
PAYERS = int(os.environ.get("OCS_ORACLE_PAYERS", "2000"))
ITEMS = {Document: "documents", Payment: "payments", Settlement: "settlements"}


@st.composite
def _taken_over(draw: st.DrawFn) -> Ledger:
    """A ledger of an account in any state, whose payer may have been in collection before."""
    ledger = draw(ledgers())
    balance = draw(st.none() | st.integers(-UNIT, UNIT))
    return attrs.evolve(
        ledger,
        account=attrs.evolve(ledger.account, state=draw(st.sampled_from(AccountState))),
        payer=attrs.evolve(
            ledger.payer,
            collection_balance=balance,
            oldest_due_date=None if balance is None else draw(st.none() | st.just(NOW.date())),
            in_collection=balance is not None and draw(st.booleans()),
        ),
    )


@functools.cache
def _hostile() -> tuple[Ledger, ...]:
    """So many ledgers, each with ids of its own: all are made with the same ones."""
    found: list[Ledger] = []

    @settings(max_examples=LEDGERS, database=None, derandomize=True, phases=[Phase.generate], deadline=None)
    @given(_taken_over())
    def collect(ledger: Ledger) -> None:
        found.append(_with_ids_of_its_own(ledger, len(found) + 1))

    collect()
    assert len(found) == LEDGERS
    return tuple(found)


def _with_ids_of_its_own(ledger: Ledger, number: int) -> Ledger:
    def own(ref_id: UUID) -> UUID:
        return UUID(int=ref_id.int | number << 16)

    ref = AccountRef(own(ledger.account.ref_id), f"A-{number}")

    def item(of: Any) -> Any:
        ids = {
            name: own(getattr(of, name)) for name in ("ref_id", "source_ref_id", "target_ref_id") if hasattr(of, name)
        }
        numbers = {name: f"{getattr(of, name)}-{number}" for name in ("document_no", "payment_no") if hasattr(of, name)}
        return attrs.evolve(of, account=ref, **ids, **numbers)

    return Ledger(
        account=attrs.evolve(ledger.account, ref_id=ref.ref_id, external_id=ref.external_id, payer_account=ref),
        payer=attrs.evolve(ledger.payer, account=ref),
        **{name: tuple(map(item, getattr(ledger, name))) for name in ITEMS.values()},
    )


def _keep(database: Database, hostile: tuple[Ledger, ...]) -> None:
    kept: dict[type, list[Any]] = {Account: [one.account for one in hostile], Payer: [one.payer for one in hostile]}
    kept |= {cls: [item for one in hostile for item in getattr(one, name)] for cls, name in ITEMS.items()}
    assigned = {s.source_ref_id for s in kept[Settlement] if not s.cancelled}
    # Payments that nothing holds any more belong to the next payer by now, whatever they had settled.
    next_one = {one.account.ref: after.account.ref for one, after in itertools.pairwise(hostile)}
    for at, payment in enumerate(kept[Payment]):
        if payment.ref_id not in assigned and at % 2:
            kept[Payment][at] = attrs.evolve(payment, account=next_one.get(payment.account, payment.account))
    rows = {rows_of(cls).table: [rows_of(cls).write(entity) for entity in of] for cls, of in kept.items()}
    database.write(*database.driver.insert(rows))


def _run(database: Database, as_of: dt.datetime) -> ProcessRun:
    """A whole run, with an outbox that is empty when it begins."""
    database.write(Call(tables.outbox.delete()))
    services = platform(Settings(database_url=database.engine.url.render_as_string(hide_password=False))).services
    start = StartCollectionRun(services.store, clock=services.clock, ids=services.ids)
    answer = start(StartCollectionRunRequest(request_id=str(services.ids()), as_of=as_of), caller=Caller("tests"))
    run = answer.steps[0].object
    assert isinstance(run, ProcessRun)
    try:
        return services.runner.run(run.ref_id)
    finally:
        services.close()


def _differences(database: Database, as_of: dt.datetime, **setting: int) -> list[str]:
    """What a run as of that instant leaves otherwise than the oracle says."""
    with database.engine.connect() as connection:
        before = oracle.stored(connection)
    assert _run(database, as_of).state is RunState.DONE
    with database.engine.connect() as connection:
        return oracle.differences(connection, before, as_of, **setting)


@DATABASES
def test_runs_over_two_hundred_hostile_ledgers_find_and_tell_what_the_oracle_does(make) -> None:
    with make() as database:
        write_entries(database, [CollectionSetting(slice_size=17)])
        _keep(database, _hostile())
        for days in (-70, -30, -1, 0, 0, 1, 30, 70):
            assert _differences(database, NOW + dt.timedelta(days=days)) == []


@DATABASES
def test_runs_with_a_threshold_and_days_of_grace_start_collection_when_the_oracle_does(make) -> None:
    threshold, grace_days = 100_000 * UNIT, 12
    setting = [CollectionThreshold(code="EUR", threshold=threshold), CollectionSetting(grace_days=grace_days)]
    with make() as database:
        write_entries(database, setting)
        _keep(database, _hostile())
        for days in (-10, 0, 10, 20, 40):
            as_of = NOW + dt.timedelta(days=days)
            assert _differences(database, as_of, threshold=threshold, grace_days=grace_days) == []


@DATABASES
def test_runs_over_a_whole_company_find_and_tell_what_the_oracle_does(make) -> None:
    with make() as database:
        company.load(database.engine, PAYERS)
        for hours in (0, 1, 100):
            assert _differences(database, company.T + dt.timedelta(hours=hours)) == []


PAIRS = """
SELECT DISTINCT ON (payment) payment, document, amount, currency FROM (
    SELECT DISTINCT ON (d.ref_id) p.ref_id AS payment, d.ref_id AS document, p.currency,
        least(p.remaining_amount, d.due_amount) / 2000000 * 1000000 AS amount
    FROM payments p JOIN documents d USING (account_ref_id, currency) JOIN accounts a ON a.ref_id = p.account_ref_id
    WHERE p.remaining_amount > 0 AND NOT p.cancelled AND p.payment_type = 'IN' AND a.state <> 'DEACTIVATED'
        AND d.due_amount > 0 AND NOT d.cancelled AND d.due_amount_type = 'AR'
        AND least(p.remaining_amount, d.due_amount) >= 2000000
) AS pairs
"""


def test_a_run_by_two_workers_beside_writers_sees_each_payment_before_it_is_assigned_or_after_never_half() -> None:
    with postgres_database() as database:
        company.load(database.engine, PAYERS)
        write_entries(database, [CollectionSetting(slice_size=50)])
        with database.engine.connect() as connection:
            before = oracle.stored(connection)
            pairs = [tuple(row) for row in connection.execute(sa.text(PAIRS))]
        url = database.engine.url.render_as_string(hide_password=False)
        services = platform(Settings(database_url=url)).services
        over, assigned = threading.Event(), []

        def write(mine: list[tuple[Any, ...]]) -> None:
            assign = AssignPaymentInToDocument(services.store, clock=services.clock, ids=services.ids)
            for payment, document, amount, currency in mine:
                if over.is_set():
                    return
                request = AssignPaymentInToDocumentRequest(
                    request_id=str(payment),
                    transaction_id="writer",
                    payment_ref_id=payment,
                    document_ref_id=document,
                    amount=amount,
                    currency=currency,
                )
                assigned.append(assign(request, caller=Caller("tests")))
                time.sleep(0.03)

        with ThreadPoolExecutor(WRITERS) as writers:
            written = [writers.submit(write, pairs[n::WRITERS]) for n in range(WRITERS)]
            start = StartCollectionRun(services.store, clock=services.clock, ids=services.ids)
            request = StartCollectionRunRequest(request_id="run", transaction_id="run", as_of=company.T)
            run = start(request, caller=Caller("tests")).steps[0].object
            assert isinstance(run, ProcessRun)
            began = len(assigned)
            done = services.runner.finish(run.ref_id, workers=2)
            meanwhile = len(assigned) - began
            over.set()
            for each in written:
                each.result()
        services.close()

        assert (done.state, done.payers_failed) == (RunState.DONE, 0)
        assert meanwhile > 20
        with database.engine.begin() as connection:
            connection.execute(sa.text("""DELETE FROM outbox WHERE headers LIKE '%"writer"%'"""))
            assert oracle.differences(connection, before, company.T) == []


def test_a_company_of_a_size_is_the_same_on_both_databases() -> None:
    found = []
    for make in (sqlite_database, postgres_database):
        with make() as database:
            company.load(database.engine, PAYERS)
            with database.engine.connect() as connection:
                found.append(oracle.expected(connection, company.T))
    assert found[0] == found[1]
    figures = [payer.figures for payer in found[0].values()]
    assert 0 < sum(f.in_collection for f in figures) < len(figures)
    assert {f.balance > 0 for f in figures if not f.oldest} == {False}
    assert any(f.balance < 0 for f in figures)


@DATABASES
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("UPDATE payers SET collection_balance = collection_balance + 1 WHERE account_ref_id = '{}'", "is stored as"),
        ("UPDATE payers SET in_collection = NOT in_collection WHERE account_ref_id = '{}'", "is stored as"),
        ("DELETE FROM outbox WHERE key = '{}'", "was not told of"),
        ("UPDATE outbox SET value = replace(value, 'EUR', 'USD') WHERE key = '{}'", "was told as"),
        ("UPDATE outbox SET value = replace(value, '\"version\":2', '\"version\":3') WHERE key = '{}'", "was told as"),
    ],
)
def test_the_oracle_tells_of_each_payer_that_is_wrong(make, spoil, sentence) -> None:
    with make() as database:
        company.load(database.engine, 100)
        with database.engine.connect() as connection:
            before = oracle.stored(connection)
        _run(database, company.T)
        with database.engine.begin() as connection:
            assert oracle.differences(connection, before, company.T) == []
            connection.exec_driver_sql(spoil.format(company.account(5)))
            (told,) = oracle.differences(connection, before, company.T)
        assert str(company.account(5)) in told
        assert sentence in told
