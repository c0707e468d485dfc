"""A private PostgreSQL for tests: its own folder, its own socket, nothing listening on a port, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psycopg


def binaries() -> Path | None:
    """Where the newest installed server is: on the PATH, or where Debian puts it."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return installed[-1].parent if installed else None


@attrs.frozen
class Cluster:
    """A running server. `url(name)` is a database of it."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template1") -> str:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')  # type: ignore[arg-type]
        return self.url(database)

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')  # type: ignore[arg-type]


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Start a server, and stop it at the end. `durable`: commits are flushed to disk, as crash tests and benches need."""
    bin_folder = binaries()
    assert bin_folder is not None, "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    folder = Path(tempfile.mkdtemp(prefix="ocs-pg-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    data = folder / "data"
    initdb = [bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
    options = ["listen_addresses=", "max_connections=200"] + ([] if durable else ["fsync=off", "full_page_writes=off"])
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [bin_folder / "postgres", "-D", data, "-k", folder, *(a for o in options for a in ("-c", o))],
        stdout=log,
        stderr=log,
        user=user,
        cwd=folder,
    )
    try:
        _wait(Cluster(folder, process))
        yield Cluster(folder, process)
    finally:
        process.send_signal(signal.SIGINT)  # do not wait for clients
        process.wait()
        log.close()
        shutil.rmtree(folder)


def _wait(started: Cluster) -> None:
    for _ in range(300):
        try:
            psycopg.connect(started.url()).close()
        except psycopg.OperationalError:
            assert started.process.poll() is None, (started.folder / "log").read_text()
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start in 15 seconds")
