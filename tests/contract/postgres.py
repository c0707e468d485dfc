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

START_SECONDS = 15
USER = "nobody" if os.geteuid() == 0 else None
"""The server refuses to run as root."""


def binaries() -> Path | None:
    """Where the newest installed server is: on the PATH, or where Debian puts it."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return installed[-1].parent if installed else None


@attrs.define
class Cluster:
    """A server that keeps its data and its address when it is killed and started again. `url(name)` is a database of it."""

    folder: Path
    bin_folder: Path
    options: tuple[str, ...] = ()
    _process: "subprocess.Popen[bytes] | None" = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [argument for option in self.options for argument in ("-c", option)]
        command = [self.bin_folder / "postgres", "-D", self.folder / "data", "-k", self.folder, *options]
        ends = time.monotonic() + START_SECONDS
        with (self.folder / "log").open("ab") as log:
            while not self._answers():
                if self._process is None or self._process.poll() is not None:
                    # What a killed server leaves behind keeps a new one out until its last process has gone.
                    self._process = subprocess.Popen(command, stdout=log, stderr=log, user=USER, cwd=self.folder)
                assert time.monotonic() < ends, (self.folder / "log").read_text()[-4000:]
                time.sleep(0.05)

    def listen(self, address: str, network: str) -> None:
        """Start it anew, and let it be reached at that address, too, by whoever is on that network."""
        self.stop()
        with (self.folder / "data" / "pg_hba.conf").open("a", encoding="utf-8") as allowed:
            allowed.write(f"host all all {network} trust\n")
        self.options = (*self.options, f"listen_addresses={address}")
        self.start()

    def kill(self) -> None:
        """As a machine dies."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it without waiting for clients."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

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
    if USER:
        shutil.chown(folder, USER, pwd.getpwnam(USER).pw_gid)
    data = folder / "data"
    initdb = [bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=USER, cwd=folder)
    options = ("listen_addresses=", "max_connections=200", *(() if durable else ("fsync=off", "full_page_writes=off")))
    made = Cluster(folder, bin_folder, options)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
