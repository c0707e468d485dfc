"""`ocs migrate --check` and `--sql`, and `ocs backup`."""

import sqlite3
from contextlib import closing

from tests.unit.cli.conftest import Ocs


def test_a_check_tells_whether_there_is_something_to_do_and_changes_nothing(empty: Ocs) -> None:
    ended = empty("migrate", "--check")
    assert (ended.code, "run: ocs migrate" in ended.out) == (1, True)
    assert list(empty.folder.iterdir()) == []
    empty("migrate").done()
    assert "the newest already" in empty("migrate", "--check").done().out


def test_the_statements_of_a_migration_are_printed_and_do_the_same(empty: Ocs) -> None:
    sql = empty("migrate", "--sql").done().out
    (empty.folder / "ocs.sqlite3").unlink(missing_ok=True)
    with closing(sqlite3.connect(empty.folder / "ocs.sqlite3")) as database:
        database.executescript(sql)
    assert "the newest already" in empty("migrate", "--check").done().out


def test_a_check_and_statements_are_not_asked_for_together(empty: Ocs) -> None:
    assert "not both" in empty("migrate", "--check", "--sql").refused()


def test_a_backup_is_a_database_of_its_own_and_none_is_written_over(ocs: Ocs) -> None:
    target = ocs.folder / "copy.sqlite3"
    assert str(target) in ocs("backup", str(target)).done().out.replace("\n", "")
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() is not None
    assert "is there already" in ocs("backup", str(target)).refused()


def test_a_backup_of_a_consumers_database_that_is_not_there_is_a_sentence(ocs: Ocs) -> None:
    assert "There is no " in ocs("backup", str(ocs.folder / "copy.sqlite3"), "--of", "finance").refused()
