"""Our run, in a process of its own that tells what it needed."""

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import attrs
from tests.contract.company import T

from ocs_adapters.bootstrap import Services, platform
from ocs_adapters.settings import Settings
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.usecases.perform import Caller
from ocs_core.usecases.start_collection_run import StartCollectionRun, StartCollectionRunRequest

TRANSACTION = "collection-bench"


@attrs.frozen
class Measured:
    """How many payers a run calculated in how long; the most memory its process, and the largest of its workers', had."""

    payers: int
    seconds: float
    own_megabytes: float = 0.0
    workers_megabytes: float = 0.0

    @property
    def speed(self) -> float:
        return self.payers / self.seconds


def run_ours(services: Services, workers: int | None, beside_others: bool = False) -> ProcessRun:
    """A whole run as of `T`, by a command, or as a server does it beside its other work."""
    start = StartCollectionRun(services.store, clock=services.clock, ids=services.ids)
    request = StartCollectionRunRequest(request_id=str(services.ids()), transaction_id=TRANSACTION, as_of=T)
    run = start(request, caller=Caller("bench")).steps[0].object
    assert isinstance(run, ProcessRun)
    return services.runner.finish(run.ref_id, workers, beside_others=beside_others)


def ours(url: str, workers: int | None, beside_others: bool = False) -> Measured:
    """A whole run in a process of its own, which tells what it needed."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_ours, url, workers, beside_others).result()


def _ours(url: str, workers: int | None, beside_others: bool) -> Measured:
    services = platform(Settings(database_url=url)).services
    began = time.perf_counter()
    run = run_ours(services, workers, beside_others)
    took = time.perf_counter() - began
    assert run.state is RunState.DONE, run.failures
    services.close()
    most = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Measured(run.payers_done, took, *most)
