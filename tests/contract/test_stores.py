"""The same contracts on memory, SQLite and PostgreSQL."""

from contextlib import suppress

from ocs_core.testkit.contracts import queries_contract, reference_contract, store_contract
from tests.contract.stores import DATABASES, memory, postgres, sqlite, subject_on

TestMemory = store_contract(memory)
TestSqlite = store_contract(sqlite)
TestPostgres = store_contract(postgres)

TestMemoryQueries = queries_contract(memory)
TestSqliteQueries = queries_contract(sqlite)
TestPostgresQueries = queries_contract(postgres)

TestSqliteAsReference = reference_contract(sqlite)
TestPostgresAsReference = reference_contract(postgres)


@DATABASES
def test_a_law_that_ends_early_leaves_no_connection_behind(make) -> None:
    """Hypothesis ends an example in its middle where it drew too much; the next law is not to be blamed for it."""
    with suppress(ZeroDivisionError), make() as database:
        subject_on(database).published()
        raise ZeroDivisionError
    assert database.engine.pool.checkedin() == 0
