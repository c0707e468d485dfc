"""The kit's page and the sample embedder, run as their readers would run them: each by a pytest of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "testkit.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?```python\n(.*?)```", PAGE, re.DOTALL)


def run(folder: Path, *arguments: str) -> str:
    """Under the quick profile, as the page says: whether the stores themselves are right is asked elsewhere."""
    (folder / "conftest.py").write_text(
        "from ocs_core.testkit import profiles\n\nprofiles.use('dev')\n", encoding="utf-8"
    )
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.mark.parametrize(("title", "snippet"), SNIPPETS, ids=[title for title, _ in SNIPPETS])
def test_a_snippet_of_the_page_passes_as_a_test_module(title: str, snippet: str, tmp_path: Path) -> None:
    (tmp_path / "test_snippet.py").write_text(snippet, encoding="utf-8")
    assert " passed" in run(tmp_path)


def test_the_page_has_a_snippet_for_each_promise() -> None:
    promised = {"Prove your own store in ten lines", "Test your own rule", "Use the machine", "Draw what you need"}
    assert {title for title, _ in SNIPPETS} == promised


def test_the_sample_embedders_store_keeps_the_contract(tmp_path: Path) -> None:
    for file in (DOCS / "examples").glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    assert " passed" in run(tmp_path)
