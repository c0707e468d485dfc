"""`ocs worker`: what calculates slices of collection runs, on any machine."""

from ocs_adapters.bootstrap import workers
from ocs_adapters.cli.commands import Refused, opened, read_settings, until_terminated
from ocs_adapters.cli.consume import work
from ocs_adapters.settings import worker_needs


def worker() -> None:
    """Calculate the slices of collection runs that come over Kafka, until interrupted or terminated.

    Any number may run, on any machine that reaches the database and Kafka: they share each run evenly, and one may join
    or die at any time. Who starts a run sends them its slices where OCS_COLLECTION_WORKERS=kafka. At the end, the slice in
    hand is finished.
    """
    if wrong := worker_needs(read_settings()):
        raise Refused("\n".join(wrong))
    until_terminated()
    with opened() as platform, workers.worker(platform) as consumer:
        try:
            work(consumer, "Calculating slices as they come.")
        finally:
            done = consumer.processor
            print(f"Ended after {done.slices} slices with {done.payers} payers.", flush=True)
