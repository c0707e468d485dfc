"""The same contracts on memory, SQLite and PostgreSQL."""

from ocs_core.testkit.contracts import queries_contract, reference_contract, store_contract
from tests.contract.stores import memory, postgres, sqlite

TestMemory = store_contract(memory)
TestSqlite = store_contract(sqlite)
TestPostgres = store_contract(postgres)

TestMemoryQueries = queries_contract(memory)
TestSqliteQueries = queries_contract(sqlite)
TestPostgresQueries = queries_contract(postgres)

TestSqliteAsReference = reference_contract(sqlite)
TestPostgresAsReference = reference_contract(postgres)
