"""Jars from Maven, fetched once for all projects of this user."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ocs-rm"


def jars_of(pom: Path, name: str) -> Path:
    """The folder with all jars that a pom names, and those that they need; `name` changes with their versions."""
    assert shutil.which("java"), "Java is not installed (Debian: apt-get install default-jdk-headless)"
    assert shutil.which("mvn"), "Maven is not installed (Debian: apt-get install maven)"

    def fetch(into: Path) -> None:
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", *options], check=True)

    return once(name, fetch)


def once(name: str, fetch: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled by the first who asks; two test processes may ask at once."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    kept, fetched = folder / "libs", folder / "fetched"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(fetched, ignore_errors=True)
            fetch(fetched)
            fetched.rename(kept)
    return kept
