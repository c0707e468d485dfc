"""What is made from the code is current."""

import pytest

from ocs_adapters.serial import messages

from .generated import PAGES, ROOT, SCHEMAS

TO_DO = "run: uv run nox -s generate (and write into CHANGELOG.md what a user must know)"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_current(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES[page](), TO_DO


def test_the_schemas_of_messages_are_current() -> None:
    for file, text in messages.schemas():
        assert (SCHEMAS / file).exists(), TO_DO
        assert (SCHEMAS / file).read_text(encoding="utf-8") == text, TO_DO
