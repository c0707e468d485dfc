"""From the outbox to whoever reads the log: the same contracts on memory, SQLite and PostgreSQL."""

from ocs_adapters.streaming.relay import Relay
from ocs_core.testkit.contracts import outbox_contract, publisher_contract, relay_contract, stream_contract
from tests.contract.stores import (
    memory_log,
    memory_outbox,
    postgres_database,
    publisher,
    sql_log,
    sql_outbox,
    sqlite_database,
    stream,
)

TestMemoryOutbox = outbox_contract(memory_outbox)
TestSqliteOutbox = outbox_contract(sql_outbox(sqlite_database))
TestPostgresOutbox = outbox_contract(sql_outbox(postgres_database))

TestMemoryPublisher = publisher_contract(publisher(memory_log))
TestSqlitePublisher = publisher_contract(publisher(sql_log(sqlite_database)))
TestPostgresPublisher = publisher_contract(publisher(sql_log(postgres_database)))

TestMemoryStream = stream_contract(stream(memory_log))
TestSqliteStream = stream_contract(stream(sql_log(sqlite_database)))
TestPostgresStream = stream_contract(stream(sql_log(postgres_database)))

TestRelay = relay_contract(lambda outbox, publisher: Relay(outbox, publisher).move)
