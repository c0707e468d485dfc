"""The published schemas are those of the code, and nobody who reads messages by one of them is let down."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ocs_adapters.serial import messages
from ocs_adapters.serial.compatibility import breaking
from ocs_core.messages import PAYLOADS, SCHEMA_VERSIONS, payload_type, schema_version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "messages"


def test_every_version_that_ever_was_is_published() -> None:
    versions = {(payload_type(code), n + 1) for code in PAYLOADS for n in range(schema_version(code))}
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.{version}.json" for name, version in versions}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_schema_still_serves_those_who_read_by_it_since_it_was_released(file: Path) -> None:
    assert breaking(_released(file), json.loads(file.read_text(encoding="utf-8"))) == [], "raise its version"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def without_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if payments had no currency any more."""
    made = messages.open_components

    def components(classes: Any) -> Any:
        schemas = made(classes)
        if "PaymentEx" in schemas:
            del schemas["PaymentEx"]["properties"]["currency"]
            schemas["PaymentEx"]["required"].remove("currency")
        return schemas

    monkeypatch.setattr(messages, "open_components", components)


@pytest.mark.usefixtures("without_currency")
def test_a_schema_that_would_break_readers_is_not_written_over_theirs(folder: Path) -> None:
    before = _texts(folder)
    assert messages.write(folder) == ["PaymentEx.1.json: $.currency is gone."]
    assert _texts(folder) == before


@pytest.mark.usefixtures("without_currency")
def test_a_raised_version_is_written_beside_the_old_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _texts(folder)
    monkeypatch.setitem(SCHEMA_VERSIONS, "payment", 2)
    assert messages.write(folder) == []
    after = _texts(folder)
    new = json.loads(after.pop("PaymentEx.2.json"))
    assert after == before
    assert (new["$id"], "currency" in new["properties"]) == ("urn:ocs-rm:schema:PaymentEx:2", False)


def test_the_writer_ends_with_1_and_says_what_to_do(folder: Path) -> None:
    file = folder / "PaymentEx.1.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["properties"]["loyaltyPoints"] = {"type": "integer"}
    file.write_text(json.dumps(schema), encoding="utf-8")
    told = _run(sys.executable, "-m", "ocs_adapters.serial.messages", str(folder))
    assert told.returncode == 1
    assert "PaymentEx.1.json: $.loyaltyPoints is gone." in told.stderr
    assert "SCHEMA_VERSIONS" in told.stderr


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def _released(file: Path) -> Any:
    """The schema as it was in the last release."""
    release, name = _release(), file.relative_to(ROOT).as_posix()
    if not release:
        pytest.skip("nothing is released yet: a schema may still be put in another's place")
    there = _git("ls-tree", "--name-only", release, name)
    return json.loads(_git("show", f"{release}:./{name}")) if there else {}


@functools.cache
def _release() -> str:
    """The tag of the last release; empty if there is none."""
    if shutil.which("git") is None or _run("git", "rev-parse", "--git-dir").returncode != 0:
        pytest.skip("no git repository: what was published before cannot be known")
    if _git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("a shallow clone: what was published before cannot be known")
    described = _run("git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")
    return described.stdout.strip() if described.returncode == 0 else ""


def _git(*arguments: str) -> str:
    told = _run("git", *arguments)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
