"""`ocs demo`: what it prints is pasted into a shell as a whole, and does what it says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.programs import needed


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """What it printed before the first request, and the process."""
    program = [sys.executable, "-c", "from ocs_adapters.cli import main; main()", "demo", "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        while not lines or not lines[-1].startswith("Application:"):
            lines.append(process.stdout.readline())
            assert lines[-1], "it ended"
        yield "".join(lines), process
        process.terminate()


def test_the_address_the_key_and_the_commands_come_last(demo: tuple[str, "subprocess.Popen[str]"]) -> None:
    printed, _ = demo
    *_, commands, closing = printed.strip().split("\n\n")
    assert commands.count("curl") == 8
    assert [line.partition(":")[0] for line in closing.splitlines()] == ["Address", "Key", "Application"]


def test_what_is_pasted_runs_whole_and_the_payment_ends_on_its_invoice(
    demo: tuple[str, "subprocess.Popen[str]"],
) -> None:
    needed("curl")
    printed, process = demo
    commands = printed.strip().split("\n\n")[-2]
    pasted = subprocess.run(["sh"], input=commands, capture_output=True, text=True, check=True)
    headings, answers = _taken_apart(pasted.stdout)
    assert [heading[0] for heading in headings] == list("12345678")
    registered = json.loads(pasted.stderr)[0]["object"]
    assigned = {step["objectType"]: step["object"] for step in answers[0]}
    assert assigned["PaymentEx"]["refId"] == registered["refId"]
    assert (assigned["PaymentEx"]["remainingAmount"], assigned["DocumentEx"]["dueAmount"]) == (0, 0)
    assert '\n      "refId": ' in pasted.stdout, "a line for each field"
    assert process.stdout is not None
    shown = [process.stdout.readline() for _ in range(8 + 1)]
    assert all(re.fullmatch(r"(POST|GET) /v1/\S+  200  \d+ ms\n", line) for line in shown[1:]), shown


def test_the_root_leads_to_the_documentation(demo: tuple[str, "subprocess.Popen[str]"]) -> None:
    address = re.findall(r"^Address: +(\S+)", demo[0], re.MULTILINE)[0]
    answer = httpx.get(address, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/docs")


def _taken_apart(out: str) -> tuple[list[str], list[list[dict[str, object]]]]:
    """The headings, and the answers between them."""
    parts = re.split(r"^(\d\. .*)\n", out, flags=re.MULTILINE)[1:]
    return parts[::2], [json.loads(answer) for answer in parts[1::2] if answer.strip()]
