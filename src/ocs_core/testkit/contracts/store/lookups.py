"""Every look-up is answered, and what is asked together changes no answer."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from ocs_core.entities.account import AccountName
from ocs_core.entities.chargeable_event import ChargeableEventKind
from ocs_core.entities.document import DocumentName
from ocs_core.entities.payment import PaymentName
from ocs_core.ports import (
    PAYMENT_NUMBERS,
    AccountNamed,
    AccountsNamed,
    AdjustmentsOf,
    ChargeableEventWithId,
    DocumentNamed,
    LiveSettlements,
    Lookup,
    NextNumber,
    OwnerOf,
    PayerOf,
    PayersOf,
    PaymentNamed,
    SettlementsAfter,
    SettlementWithId,
    SourceOf,
    Taken,
    TakenEvents,
    TargetOf,
)
from ocs_core.ports.lookups import Unique
from ocs_core.testkit.contracts.subject import Subject, keep
from ocs_core.testkit.contracts.values import (
    a_document,
    a_payer,
    a_payment,
    a_settlement,
    an_account,
    an_event,
    id_of,
)
from ocs_core.testkit.examples import UNIT
from ocs_core.testkit.fakes import NOW

PAIR = (0, 50)
"""Two of everything, a number apart: what is asked of one must not come from the other."""


def _things(n: int) -> dict[Lookup[Any], Any]:
    """What is kept under some numbers, as the answers to every look-up of it."""
    account = an_account(n + 1, external_id=f"A-{n}")
    payment = a_payment(n + 2, account, external_payment_no=f"E-{n}")
    document = a_document(n + 3, account, external_document_no=f"X-{n}")
    settlement = a_settlement(n + 4, payment, document, UNIT)
    event = an_event(n + 5, account, external_id=f"V-{n}")
    adjustment = an_event(n + 6, account, -UNIT, original_ref_id=event.ref_id, kind=ChargeableEventKind.CREDIT)
    name, one = AccountName(external_id=account.external_id), SettlementWithId(settlement.ref_id)
    of_payment, of_document = PaymentName(external_payment_no=f"E-{n}"), DocumentName(ref_id=document.ref_id)
    charged, payer = ChargeableEventWithId(event.ref_id), a_payer(account)
    return {
        AccountNamed(name): account,
        AccountNamed(AccountName(ref_id=account.ref_id)): account,
        PayerOf(name): payer,
        PaymentNamed(of_payment): payment,
        DocumentNamed(of_document): document,
        one: settlement,
        SourceOf(one): payment,
        TargetOf(one): document,
        LiveSettlements(of_payment): (settlement,),
        LiveSettlements(of_payment, of_document): (settlement,),
        SettlementsAfter(NOW.replace(year=2000), document=of_document): (settlement,),
        charged: event,
        AdjustmentsOf(event.ref_id): (adjustment,),
        **{OwnerOf(item): account for item in (PaymentNamed(of_payment), DocumentNamed(of_document), one, charged)},
        AccountsNamed((name, AccountName(ref_id=id_of(n + 9)))): {name: account},
        PayersOf((name,)): {account.ref_id: payer},
        TakenEvents((f"V-{n}", "V")): frozenset({f"V-{n}"}),
        Taken("external_account_id", f"A-{n}"): True,
        Taken("external_payment_no", f"E-{n}"): True,
        Taken("external_document_no", f"X-{n}"): True,
        **{Taken(what, "free"): False for what in get_args(Unique)},
    }


EVERY: Mapping[Lookup[Any], Any] = {lookup: answer for n in PAIR for lookup, answer in _things(n).items()}
"""Every look-up, but numbers, with what it is to find."""


def _kept() -> list[Any]:
    """Each thing once that some look-up finds."""
    found = [value for answer in EVERY.values() for value in (answer if isinstance(answer, tuple) else (answer,))]
    return [*{type(value).__name__ + str(value.ref_id): value for value in found if hasattr(value, "ref_id")}.values()]


class NotThere(Lookup[int]):
    """A look-up that no store knows."""


def lookup_laws() -> type:
    """Every look-up is answered, and what is asked together changes no answer."""

    class LookupLaws:
        @pytest.mark.parametrize("lookup", EVERY, ids=[type(lookup).__name__ for lookup in EVERY])
        def test_every_lookup_is_answered(self, subject: Subject, lookup: Lookup[Any]) -> None:
            """A use-case that asks for it would fail in the middle of the night, and no other law says which one it was."""
            keep(subject, *_kept())
            assert subject.look_up(lookup) == EVERY[lookup]

        @pytest.mark.parametrize("turned", [False, True], ids=["in one order", "in the other"])
        def test_what_is_asked_together_changes_no_answer(self, subject: Subject, turned: bool) -> None:
            """One row is cut where another begins: a payer is told to be the parent, as soon as somebody asks for both."""
            keep(subject, *_kept())
            number = NextNumber(PAYMENT_NUMBERS)
            asked = [number, *EVERY]
            with subject.store.begin() as uow:
                found = uow.find(*(reversed(asked) if turned else asked))
            wrong = {lookup: found[lookup] for lookup in EVERY if found[lookup] != EVERY[lookup]}
            assert wrong == {}
            assert found[number] == 1

        def test_a_lookup_that_a_store_does_not_know_is_refused_by_its_name(self, subject: Subject) -> None:
            """To be found as nothing would be taken for an answer."""
            with pytest.raises(NotImplementedError, match="NotThere"):
                subject.look_up(NotThere())

        def test_what_was_not_asked_is_not_found(self, subject: Subject) -> None:
            """A rule that asks for what nobody looked up is to hear of it, and not to take it for missing."""
            with subject.store.begin() as uow:
                found = uow.find()
            with pytest.raises(LookupError, match="TakenEvents"):
                found[TakenEvents(("x",))]

    return LookupLaws
