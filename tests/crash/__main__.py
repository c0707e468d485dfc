"""Kill everything, again and again, while clients write; then look whether anything was lost.

    python -m tests.crash --rounds 50

Real PostgreSQL, real Kafka, every process of a company. In each round some parts are killed at random moments and started
again; at its end all must agree (`checks`). Everything is thrown away at the end, unless something failed.
"""

import argparse
import contextlib
import itertools
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ocs_adapters.settings import Settings
from tests.contract.broker import broker
from tests.contract.postgres import cluster
from tests.crash.checks import Checks, until
from tests.crash.clients import Clients
from tests.crash.parts import Part, Process, Recipient, ocs

CLIENTS = 20
LIFETIME = 10
"""After so many rounds everything is thrown away, and begins anew: what is looked at grows from round to round."""
VICTIMS = 3
"""How many parts die in a round."""
LIFE_SECONDS = 4.0
"""How long everybody lives, at the most, before the next one dies."""
DEATH_SECONDS = 2.0
"""How long a part is dead, at the most."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RECIPIENTS = """[[recipient]]
name = "crash"
codes = ["*"]
webhook = "http://127.0.0.1:{port}/"
secret = "{secret}"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    print(f"{given.rounds} rounds, seed {given.seed}", flush=True)
    random.seed(given.seed)
    rounds = iter(range(1, given.rounds + 1))
    while of_one_company := list(itertools.islice(rounds, LIFETIME)):
        with company() as (parts, checks):
            deck = itertools.chain.from_iterable(random.sample(sorted(parts), len(parts)) for _ in itertools.count())
            for number in of_one_company:
                victims, began = list(itertools.islice(deck, VICTIMS)), time.monotonic()
                play(parts, victims, checks.clients)
                told = checks.everything()
                print(f"{number}: {', '.join(victims)}; {told}; {time.monotonic() - began:.0f} s", flush=True)


def play(parts: Mapping[str, Part], victims: list[str], clients: Clients) -> None:
    """Let the clients write while the victims die and come back, one after the other."""
    stop = threading.Event()
    threads = clients.write(stop)
    try:
        for victim in victims:
            time.sleep(random.random() * LIFE_SECONDS)
            parts[victim].kill()
            time.sleep(random.random() * DEATH_SECONDS)
            parts[victim].start()
        time.sleep(random.random() * LIFE_SECONDS)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def company() -> Iterator[tuple[Mapping[str, Part], Checks]]:
    """All parts, running."""
    folder = Path(tempfile.mkdtemp(prefix="ocs-crash-"))
    recipient = Recipient(SECRET)
    with cluster(durable=True) as postgres, broker() as kafka:
        (folder / "recipients.toml").write_text(RECIPIENTS.format(port=recipient.start(), secret=SECRET))
        port = free_port()
        settings = Settings(
            database_url=postgres.create("ocs"),
            kafka_servers=kafka.server,
            finance_url=postgres.create("finance"),
            notifications_url=postgres.create("notifications"),
            warehouse_folder=str(folder / "warehouse"),
        )
        environment = {
            "OCS_DATABASE_URL": settings.database_url,
            "OCS_KAFKA_SERVERS": kafka.server,
            "OCS_FINANCE_URL": settings.finance_url,
            "OCS_NOTIFICATIONS_URL": settings.notifications_url,
            "OCS_RECIPIENTS_FILE": str(folder / "recipients.toml"),
            "OCS_WAREHOUSE_FOLDER": settings.warehouse_folder,
            "OCS_RELAY": "false",
        }
        key = prepared(folder, environment)
        processes = {
            name: Process(name, arguments, folder, environment)
            for name, arguments in {
                "server": ("serve", "--port", str(port)),
                "relay-1": ("relay",),
                "relay-2": ("relay",),
                "finance": ("consume", "finance"),
                "warehouse": ("consume", "warehouse"),
                "notifications": ("consume", "notifications"),
            }.items()
        }
        try:
            for process in processes.values():
                process.start()
            headers = {"X-Ocs-Io-API-Key": key, "X-Ocs-Io-Application-Id": "crash"}
            clients = Clients(f"http://127.0.0.1:{port}", headers, CLIENTS)
            until("the server listens", lambda: listens(port))
            checks = Checks(
                folder=folder, environment=environment, settings=settings, clients=clients, recipient=recipient
            )
            with supervised(processes.values()):
                yield {**processes, "broker": kafka, "postgres": postgres}, checks
            endings = {process.name: process.endings for process in processes.values() if process.endings}
            print(f"Ended by themselves, where the database was not there when they began: {endings or 'none'}")
            for process in processes.values():
                assert "Traceback" not in process.log.read_text(), f"{process.log} has a traceback"
        except BaseException:
            print(f"What was logged is in {folder}", file=sys.stderr)
            raise
        finally:
            for process in processes.values():
                process.kill()
            recipient.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def supervised(processes: Collection[Process]) -> Iterator[None]:
    """Whatever ends by itself is started again, as long as the block lasts."""
    over = threading.Event()

    def supervise() -> None:
        while not over.wait(1.0):
            for process in processes:
                process.supervise()

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    try:
        yield
    finally:
        over.set()
        supervisor.join()


def prepared(folder: Path, environment: Mapping[str, str]) -> str:
    """The schema, the example's master data and the topics; gives a key."""
    code, example = ocs(folder, environment, "configure", "--example")
    (folder / "configuration.toml").write_text(example)
    for command in (("migrate",), ("configure", "configuration.toml"), ("kafka", "init")):
        code, told = ocs(folder, environment, *command)
        assert code == 0, told
    code, key = ocs(folder, environment, "key", "add", "crash", "--privilege", "*")
    assert code == 0, key
    return key.strip()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


if __name__ == "__main__":
    main()
