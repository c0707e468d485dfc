"""Everything that a store must pass, in one line."""

from hypothesis import settings

from ocs_core.testkit.contracts import (
    Make,
    pushdown_contract,
    queries_contract,
    reference_contract,
    runs_contract,
    store_contract,
)
from ocs_core.testkit.profiles import patiently
from ocs_core.testkit.stateful import revenue_machine


def prove_store(make: Make, *, machine: settings | None = None, runs: bool = True) -> type:
    """A test class of everything that a store and its queries must pass:

        TestMyStore = prove_store(make)

    It holds one class for each contract, which pytest finds: `TestStore` (what it keeps, commits and locks), `TestRuns` (what it
    gives to runs), `TestQueries`, `TestPushdown` (what it filters by itself), `TestReference` and `TestMachine` (command for
    command beside the store in memory). `make` is as every contract takes it. `runs=False`: a store for use-cases alone, on which
    no collection run is performed; it is a `Store` and no `RunStore`. `machine` says how long the machine runs, as Hypothesis's
    settings do: for a store with a database of its own for each example, a few examples of many steps find the most in a minute.
    """
    driven = revenue_machine(make, runs=runs).TestCase
    driven.settings = patiently(machine)
    contracts = {
        "TestStore": store_contract(make),
        "TestQueries": queries_contract(make, runs=runs),
        "TestPushdown": pushdown_contract(make, runs=runs),
        "TestReference": reference_contract(make, runs=runs),
        "TestMachine": driven,
    }
    return type("StoreProof", (), contracts | ({"TestRuns": runs_contract(make)} if runs else {}))
