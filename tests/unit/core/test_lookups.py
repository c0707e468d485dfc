"""Look-ups as values: what is asked is equal to what is asked again, and an answer has the type that its look-up says."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import Configuration
from ocs_core.memory import MemoryStore
from ocs_core.ports import DOCUMENT_NUMBERS, LOOKUPS, AccountNamed, Found, NextNumber, PayerOf
from ocs_core.testkit.contracts.store.lookups import EVERY
from ocs_core.usecases.perform import lookups_of
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest

NAME = AccountName(external_id="A-1")
TYPED = """
from typing import Any
from ocs_core.ports import Found
from ocs_core.usecases.cancel_payment_in_assignment import CancelPaymentInAssignment
from ocs_core.usecases.register_payment import RegisterPayment

def look(register: RegisterPayment, cancel: CancelPaymentInAssignment, found: Found, request: Any) -> None:
    wanted, others = register.wanted(request), cancel.wanted(request)
    reveal_type(found[wanted.account])
    reveal_type(found[wanted.number])
    reveal_type(found[others.payment])
    reveal_type(found[others.settlements])
"""


def test_a_lookup_is_equal_to_one_that_asks_for_the_same_whatever_its_lock() -> None:
    assert AccountNamed(NAME) == AccountNamed(NAME, exclusively=True)
    assert hash(AccountNamed(NAME)) == hash(AccountNamed(NAME, exclusively=True))
    assert AccountNamed(NAME) != AccountNamed(AccountName(ref_id=UUID(int=1)))
    assert Found(Configuration(), answers={AccountNamed(NAME, exclusively=True): None})[AccountNamed(NAME)] is None


def test_who_asks_for_what_was_not_looked_up_is_told_what_was() -> None:
    with MemoryStore().begin() as uow:
        found = uow.find(AccountNamed(NAME))
    with pytest.raises(LookupError, match=r"PayerOf\(.*A-1.* was not looked up; asked were: AccountNamed"):
        found[PayerOf(NAME)]


def test_what_a_use_case_wants_is_its_lookups() -> None:
    command = UpdateInvoicingFlag(MemoryStore(), clock=lambda: None, ids=lambda: None)  # type: ignore[arg-type, return-value]
    request = UpdateInvoicingFlagRequest(request_id="1", account=NAME, invoicing_excluded=True)
    assert lookups_of(command.wanted(request)) == [AccountNamed(NAME), PayerOf(NAME)]


def test_a_number_without_gaps_is_no_lookup() -> None:
    with pytest.raises(ValueError, match="draw one when everything is decided"):
        NextNumber(DOCUMENT_NUMBERS)


def test_every_lookup_has_a_law() -> None:
    assert {*LOOKUPS} == {*map(type, EVERY), NextNumber}


def test_an_answer_has_the_type_of_its_lookup(tmp_path: Path) -> None:
    file = tmp_path / "typed.py"
    file.write_text(TYPED, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    revealed = [line.partition('Revealed type is "')[2].rstrip('"') for line in told.splitlines() if "Revealed" in line]
    assert revealed == [
        "ocs_core.entities.account.Account | None",
        "int",
        "ocs_core.entities.payment.Payment | None",
        "tuple[ocs_core.entities.settlement.Settlement, ...]",
    ], told
