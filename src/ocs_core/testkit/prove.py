"""Everything that a store must pass, in one line."""

from hypothesis import settings

from ocs_core.testkit.contracts import (
    Make,
    pushdown_contract,
    queries_contract,
    reference_contract,
    store_contract,
)
from ocs_core.testkit.profiles import patiently
from ocs_core.testkit.stateful import revenue_machine


def prove_store(make: Make, *, machine: settings | None = None) -> type:
    """A test class of everything that a store and its queries must pass:

        TestMyStore = prove_store(make)

    It holds one class for each contract, which pytest finds: `TestStore` (what it keeps, commits, locks and gives to runs),
    `TestQueries`, `TestPushdown` (what it filters by itself), `TestReference` and `TestMachine` (command for command beside the
    store in memory). `make` is as every contract takes it. `machine` says how long the machine runs, as Hypothesis's settings
    do: for a store with a database of its own for each example, a few examples of many steps find the most in a minute.
    """
    driven = revenue_machine(make).TestCase
    driven.settings = patiently(machine)
    return type(
        "StoreProof",
        (),
        {
            "TestStore": store_contract(make),
            "TestQueries": queries_contract(make),
            "TestPushdown": pushdown_contract(make),
            "TestReference": reference_contract(make),
            "TestMachine": driven,
        },
    )
