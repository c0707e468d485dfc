"""The contract of a store and its queries, as functions that build a fresh test class for one adapter:

    TestMine = store_contract(make)

`make()` is a context manager that gives a `Subject`: an empty store whose configuration is the example's. Every law is a
sentence; a store keeps it or breaks it for everyone.
"""

from ocs_core.testkit.contracts.reference import reference_contract
from ocs_core.testkit.contracts.store import store_contract
from ocs_core.testkit.contracts.subject import Make, Published, Subject, published_in

__all__ = ["Make", "Published", "Subject", "published_in", "reference_contract", "store_contract"]
