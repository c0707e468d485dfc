"""A test that lacks a program of others is passed over on a person's machine, and fails where CI is set."""

import pytest

from tests.programs import needed

SAID = r"no-such-program is not installed \(Debian: apt-get install such-a-package\)"


def test_on_a_persons_machine_it_is_passed_over_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"^{SAID}$"):
        needed("no-such-program", "such-a-package")


def test_where_ci_is_set_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=SAID):
        needed("no-such-program", "such-a-package")


@pytest.mark.parametrize("server", ["", "true"])
def test_a_program_that_is_there_lets_the_test_go_on(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("CI", server)
    needed("sh")
