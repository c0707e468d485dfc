"""A private pgbouncer for tests, in transaction mode: each transaction has any of a few connections to the server."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.contract.postgres import USER, Cluster

PROGRAM = "/usr/sbin/pgbouncer"
POOL = 4
"""Connections to each database: fewer than there are clients, so that they change hands."""
SETTINGS = """
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
logfile = {folder}/log
"""


@contextmanager
def pooler(server: Cluster) -> Iterator[Path]:
    """Start it before a server, and stop it at the end; gives the folder that takes the place of the server's as host."""
    assert Path(PROGRAM).exists(), "pgbouncer is not installed (Debian: apt-get install pgbouncer)"
    folder = Path(tempfile.mkdtemp(prefix="ocs-pool-", dir="/tmp"))
    settings = folder / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(server=server.folder, folder=folder, pool=POOL))
    if USER:
        shutil.chown(folder, USER)
    with subprocess.Popen([PROGRAM, "-q", str(settings)], user=USER, cwd=folder) as running:
        try:
            _await_answer(folder)
            yield folder
        finally:
            running.terminate()
    shutil.rmtree(folder)


def url_through(folder: Path, database: str) -> str:
    """A database's URL by way of the pooler."""
    return f"postgresql://postgres@/{database}?host={folder}&port=6432"


def _await_answer(folder: Path) -> None:
    ends = time.monotonic() + 15
    while not _answers(folder):
        assert time.monotonic() < ends, (folder / "log").read_text()
        time.sleep(0.05)


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(url_through(folder, "postgres")).close()
    except psycopg.OperationalError:
        return False
    return True
