"""The same proof on memory, SQLite and PostgreSQL."""

from contextlib import suppress

from hypothesis import settings

from ocs_core.testkit.prove import prove_store
from tests.contract.stores import DATABASES, memory, postgres, sqlite, subject_on

FEW = settings(settings.default, max_examples=8, stateful_step_count=40)
"""Each example of the machine has a database of its own."""

TestMemory = prove_store(memory)
TestSqlite = prove_store(sqlite, machine=FEW)
TestPostgres = prove_store(postgres, machine=FEW)


@DATABASES
def test_a_law_that_ends_early_leaves_no_connection_behind(make) -> None:
    """Hypothesis ends an example in its middle where it drew too much; the next law is not to be blamed for it."""
    with suppress(ZeroDivisionError), make() as database:
        subject_on(database).published()
        raise ZeroDivisionError
    assert database.engine.pool.checkedin() == 0
