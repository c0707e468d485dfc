"""What the databases filter and fetch equals the core's pure functions."""

from ocs_core.testkit.contracts.pushdown import pushdown_contract
from tests.contract.stores import memory, postgres, sqlite

TestMemory = pushdown_contract(memory)
TestSqlite = pushdown_contract(sqlite)
TestPostgres = pushdown_contract(postgres)
