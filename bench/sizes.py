"""Megabytes that a million commands leave in each table, on PostgreSQL and SQLite, indices included (docs/operations.md).

The command is register payment, identified and with an external number. Its notifications are delivered to one recipient, at the
first attempt. Run: python -m bench.sizes [--short]
"""

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.contract.postgres import cluster

from bench.options import SHORT, check_arguments
from ocs_adapters.bootstrap import Platform, platform
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.consumer import Consumer
from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.notifications.deliveries import Deliveries, Outcome
from ocs_adapters.consumers.notifications.keeping import KeepDeliveries
from ocs_adapters.consumers.notifications.recipients import Recipient
from ocs_adapters.consumers.notifications.tables import tables
from ocs_adapters.consumers.processor import Processor
from ocs_adapters.settings import Settings
from ocs_core.entities.configuration import KINDS
from ocs_core.testkit.examples import Desk, configuration, named

COMMANDS, RUNS = (500, 100) if SHORT else (20_000, 1_000)
ACCOUNTS = 100
AT_ONCE = 100
DAY = dt.timedelta(days=1)
SIZE = {
    "postgresql": "SELECT pg_total_relation_size('{}')",
    "sqlite": "SELECT sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) WHERE tbl_name = '{}'",
}
REPACK = {"postgresql": "VACUUM FULL {}", "sqlite": "VACUUM"}


def measured(made: Platform) -> Mapping[str, float]:
    """Bytes a command, or a run, of each table in a new database."""
    made.migrate()
    made.configure(entry for kind in KINDS for entry in getattr(configuration(), kind).values())
    desk = Desk(made.services.store, ids=made.services.ids)
    accounts = [desk.account(f"A-{number}") for number in range(ACCOUNTS)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda n: desk.payment(account=accounts[n % ACCOUNTS], external_payment_no=f"payment-{n}"),
                range(COMMANDS),
            )
        )
    found = {name: _size(made, name) for name in ("payments", "payment_history", "requests", "outbox")}
    made.relay.drain()
    found["event_log"] = _size(made, "event_log")
    (answers,) = (kept for kept in made.retentions if kept.prunable.table.name == "requests")
    answers.forget(desk.clock() + DAY)
    found["requests without answers"] = _size(made, "requests", repack=True)
    each = {name: size / COMMANDS for name, size in found.items()}
    for _ in range(RUNS):
        desk.collect(accounts=(named(accounts[0]),), dry_run=True)
    each["process_runs (a million runs)"] = _size(made, "process_runs", repack=True) / RUNS
    return each | dict(_delivered(made))


def _delivered(made: Platform) -> Iterator[tuple[str, float]]:
    """What a consumer keeps, in the same database: its tables have names of their own."""
    tables.prepare(made.database)
    processor = Processor(
        inbox=Inbox(made.database, tables, utc_now),
        handle=KeepDeliveries([Recipient(name="crm", codes=frozenset({"*"}))], utc_now),
    )
    messages = Consumer(
        stream=made.events.reader("notifications", [made.settings.notifications_topic]), processor=processor
    ).drain()
    deliveries, delivered = Deliveries(made.database, utc_now), 0
    while claimed := deliveries.claim({"crm": AT_ONCE}, AT_ONCE, utc_now()):
        for delivery in claimed:
            deliveries.ended(delivery, Outcome(delivered=True, status=200), None)
        delivered += len(claimed)
    yield "inbox (a million messages)", _size(made, "notifications_inbox", repack=True) / messages
    for name in ("deliveries", "attempts"):
        yield f"{name} (a million deliveries)", _size(made, f"notifications_{name}", repack=True) / delivered


def _size(made: Platform, table: str, *, repack: bool = False) -> int:
    name = made.database.driver.name
    with made.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if repack:
            connection.exec_driver_sql(REPACK[name].format(table))
        return int(connection.exec_driver_sql(SIZE[name].format(table)).scalar_one())


@contextmanager
def _databases() -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder, cluster() as server:
        yield server.create("sizes"), f"sqlite:///{Path(folder) / 'sizes.sqlite3'}"


def main() -> None:
    check_arguments(__doc__)
    with _databases() as urls:
        columns = {}
        for url in urls:
            made = platform(Settings(database_url=url))
            columns[made.database.driver.name] = measured(made)
            made.services.close()
    print(f"{'MB per million commands':34}{''.join(f'{name:>12}' for name in columns)}")
    for table in next(iter(columns.values())):
        print(f"{table:34}{''.join(f'{column[table]:>12,.0f}' for column in columns.values())}")


if __name__ == "__main__":
    main()
