"""A machine that drives any store through random use-cases beside the reference in memory.

    TestMyStore = revenue_machine(make).TestCase

After each step the answers, the published messages and what can be read are compared, and the invariants are looked at:
money is conserved, an identified payment does not change its account silently, nothing leaves DEACTIVATED, every version
of an entity is announced exactly once, and the messages alone rebuild the entities.
"""

from ocs_core.testkit.contracts.subject import Make
from ocs_core.testkit.stateful.commands import Commands
from ocs_core.testkit.stateful.invariants import Invariants


class RevenueMachine(Commands, Invariants):
    """The machine over one store; `revenue_machine` makes a class of it for each."""


def revenue_machine(make: Make, *, runs: bool = True) -> type[RevenueMachine]:
    """A machine class of its own for the stores that `make` gives, as `store_contract` takes them; `runs`: with collection
    runs."""
    return type("RevenueMachine", (RevenueMachine,), {"make": staticmethod(make), "runs": runs})


__all__ = ["RevenueMachine", "revenue_machine"]
