"""The machine drives SQLite and PostgreSQL beside the reference in memory."""

from typing import Any

from hypothesis import settings

from ocs_core.testkit.contracts.subject import Make
from ocs_core.testkit.stateful import revenue_machine
from tests.contract.stores import postgres, sqlite


def machine(make: Make) -> Any:
    """A test of the machine: fewer runs than in memory, since each has a database of its own."""
    case = revenue_machine(make).TestCase
    case.settings = settings(settings.default, max_examples=8, stateful_step_count=40)
    return case


TestSqlite = machine(sqlite)
TestPostgres = machine(postgres)
