"""Each extra alone, in an environment of its own: what is not installed is named with its extra, and nobody sees a traceback.

Run by nox with the built wheel: python tests/extras.py WHEEL
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
NO_COMMAND_LINE = {"--help": "ocs-rm[cli]", "migrate": "ocs-rm[cli]"}
TRIED: Mapping[str, Mapping[str, str | None]] = {
    "": NO_COMMAND_LINE,
    "sql": NO_COMMAND_LINE,
    "testkit": NO_COMMAND_LINE,
    "cli": {
        "--help": None,
        "migrate": None,
        "rules": None,
        "configure --example": None,
        "key add crm --privilege payment:register": None,
        "collect --dry-run": "PROCESS_NOT_CONFIGURED",
        "collect --dry-run --parquet figures.parquet": "ocs-rm[warehouse]",
        "serve --port 0": "ocs-rm[http]",
        "demo --once": "ocs-rm[http]",
        "demo": "ocs-rm[http]",
        "consume finance --once": None,
        "consume warehouse --once": "ocs-rm[warehouse]",
        "consume notifications --once": "ocs-rm[consumers]",
        "kafka init": "ocs-rm[kafka]",
    },
}
"""Commands of each extra, and what they say where they cannot be performed."""
SNIPPETS = {"sql": ROOT / "docs" / "embedding.md", "testkit": ROOT / "README.md"}
"""Pages whose first snippet of Python runs with the extra alone."""
KAFKA = {"OCS_KAFKA_SERVERS": "127.0.0.1:1"}
RECIPIENTS = """
[[recipient]]
name = "crm"
codes = ["paymentReceived"]
webhook = "http://127.0.0.1:1/"
secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
"""


def environment(folder: Path, wheel: Path, extra: str) -> Path:
    """The programs of a fresh environment with the wheel and one extra."""
    place = folder / (extra or "bare")
    subprocess.run(["uv", "venv", "-q", str(place)], check=True)
    named = f"ocs-rm[{extra}] @ {wheel.as_uri()}" if extra else f"ocs-rm @ {wheel.as_uri()}"
    subprocess.run(["uv", "pip", "install", "-q", "--python", str(place / "bin" / "python"), named], check=True)
    return place / "bin"


def tried(programs: Path, command: str, said: str | None) -> None:
    with_kafka = KAFKA if command == "kafka init" else {}
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OCS_", "PYTHON", "VIRTUAL"))} | with_kafka
    env["OCS_RECIPIENTS_FILE"] = "recipients.toml"
    told = subprocess.run(
        [programs / "ocs", *command.split()], cwd=programs, env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in told.stderr, (programs, command, told.stderr)
    assert told.returncode == (0 if said is None else 1), (programs, command, told.stderr)
    assert said is None or said in told.stderr, (programs, command, told.stderr)


def main(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for extra, commands in TRIED.items():
            programs = environment(Path(folder), wheel, extra)
            (programs / "recipients.toml").write_text(RECIPIENTS, encoding="utf-8")
            for command, said in commands.items():
                tried(programs, command, said)
            if page := SNIPPETS.get(extra):
                (snippet, *_) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
                subprocess.run([programs / "python", "-c", snippet], cwd=programs, check=True)
            print(f"{extra or 'no extra'}: {len(commands)} commands")
        install_as_the_readme_says(Path(folder))


def install_as_the_readme_says(folder: Path) -> None:
    """Its lines, in a copy of what a wheel is made of, with an environment's `pip`."""
    (lines,) = re.findall(r"```sh\n(uv build.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    clone, place = folder / "clone", folder / "elsewhere"
    ignored = shutil.ignore_patterns(".*", "dist", "__pycache__")
    shutil.copytree(ROOT, clone, ignore=ignored)
    subprocess.run(["uv", "venv", "-q", "--seed", str(place)], check=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OCS_", "PYTHON", "VIRTUAL"))}
    env["PATH"] = f"{place / 'bin'}{os.pathsep}{env['PATH']}"
    subprocess.run(["sh", "-e", "-c", lines], cwd=clone, env=env, check=True, capture_output=True)
    subprocess.run([place / "bin" / "ocs", "demo", "--once"], cwd=folder, env=env, check=True, capture_output=True)
    print("the README's lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
