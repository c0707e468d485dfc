"""The laws of a `Store`, its unit of work, its outbox and its isolation."""

from ocs_core.testkit.contracts.store.committing import committing_laws
from ocs_core.testkit.contracts.store.keeping import keeping_laws
from ocs_core.testkit.contracts.store.racing import racing_laws
from ocs_core.testkit.contracts.store.runs import runs_laws
from ocs_core.testkit.contracts.subject import Make, contract


def store_contract(make: Make) -> type:
    """The laws of a `Store`, its unit of work, its outbox and its isolation."""
    return contract("StoreContract", make, keeping_laws(), committing_laws(), racing_laws(), runs_laws())


__all__ = ["store_contract"]
