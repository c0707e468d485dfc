"""The same contracts on memory, SQLite and PostgreSQL."""

from ocs_core.testkit.contracts import reference_contract, store_contract
from tests.contract.stores import memory, postgres, sqlite

TestMemory = store_contract(memory)
TestSqlite = store_contract(sqlite)
TestPostgres = store_contract(postgres)

TestSqliteAsReference = reference_contract(sqlite)
TestPostgresAsReference = reference_contract(postgres)
