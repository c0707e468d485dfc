"""The laws of a `Store`, its unit of work, its outbox and its isolation; and those of a `RunStore` beside them."""

from ocs_core.testkit.contracts.store.committing import committing_laws
from ocs_core.testkit.contracts.store.keeping import keeping_laws
from ocs_core.testkit.contracts.store.looking_back import looking_back_laws
from ocs_core.testkit.contracts.store.lookups import lookup_laws
from ocs_core.testkit.contracts.store.past import past_laws
from ocs_core.testkit.contracts.store.racing import racing_laws
from ocs_core.testkit.contracts.store.runs import runs_laws
from ocs_core.testkit.contracts.store.slices import slices_laws
from ocs_core.testkit.contracts.store.taking_back import taking_back_laws
from ocs_core.testkit.contracts.store.whole import whole_laws
from ocs_core.testkit.contracts.store.whole_runs import whole_runs_laws
from ocs_core.testkit.contracts.subject import Make, contract


def store_contract(make: Make) -> type:
    """The laws of a `Store`, its unit of work, its outbox and its isolation: all that use-cases need but those about runs."""
    laws = (
        keeping_laws(),
        lookup_laws(),
        committing_laws(),
        racing_laws(),
        taking_back_laws(),
        whole_laws(),
        past_laws(),
    )
    return contract("StoreContract", make, *laws)


def runs_contract(make: Make) -> type:
    """The laws of a `RunStore`: what runs are given, keep and wait for."""
    return contract("RunsContract", make, runs_laws(), slices_laws(), whole_runs_laws(), looking_back_laws())


__all__ = ["runs_contract", "store_contract"]
