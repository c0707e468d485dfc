"""The contracts that need no server: clocks, ids, and the collection balance."""

from ocs_adapters.clock import new_id, utc_now
from ocs_core.memory import MemoryIds
from ocs_core.testkit.contracts import clock_contract, collection_contract, ids_contract
from ocs_core.testkit.fakes import SettableClock

TestSystemClock = clock_contract(lambda: utc_now)
TestSettableClock = clock_contract(SettableClock)
TestSystemIds = ids_contract(lambda: new_id)
TestMemoryIds = ids_contract(lambda: MemoryIds(utc_now))
TestCollection = collection_contract()
