"""`ocs relay`: what publishes messages, as a process of its own."""

import threading

from ocs_adapters.cli.commands import opened, until_terminated


def relay() -> None:
    """Publish the messages that wait in the outbox, until interrupted or terminated.

    Several may run at once, beside each other and beside ocs serve: they divide the accounts among them, and one that
    dies is replaced by the others in less than ten seconds. At the end, the batch in hand is finished.
    With OCS_RELAY=false, ocs serve leaves this work to others.
    """
    until_terminated()
    with opened() as platform:
        platform.relay.start()
        print("Publishing what waits in the outbox.", flush=True)
        threading.Event().wait()
