"""An outsider's project: the built wheel with the extra `testkit`, a store of its own, and nothing of this repository.

Its store keeps the contract; with one defect planted, the law that names the defect fails. Run by nox in an environment of
its own: python tests/outsider.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
RIGHT = "        return self.inner.save(entity)"
DEFECT = """        try:
            return self.inner.save(entity)
        except Exception:
            return entity"""
LAW = "test_a_change_raises_the_version_and_a_stale_one_is_a_conflict"


def tested(folder: Path) -> tuple[int, str]:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "TestStore"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode, told.stdout + told.stderr


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        for file in EXAMPLES.glob("*.py"):
            (project / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        code, told = tested(project)
        assert code == 0, told
        store = project / "file_store.py"
        text = store.read_text(encoding="utf-8")
        assert text.count(RIGHT) == 1
        store.write_text(text.replace(RIGHT, DEFECT), encoding="utf-8")
        code, told = tested(project)
        assert code == 1, told
        assert f"TestStore::{LAW}" in told or LAW in told, told
        print(f"An outsider's store passes; a lost update is caught by {LAW}.")


if __name__ == "__main__":
    main()
