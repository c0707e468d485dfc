"""The rules, and what makes and gathers them, called without a use-case: their edges, and what a complaint must name."""

import datetime as dt
from collections.abc import Iterator
from unittest.mock import patch
from uuid import UUID

import attrs
import pytest

from ocs_core import rules
from ocs_core.collection import Shortage
from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import AccountType, Configuration, zone
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.entities.process import RunState
from ocs_core.errors import RequestRejected, Violation
from ocs_core.form import UNSET
from ocs_core.messages import CollectionBalanceCalculated, CollectionStart
from ocs_core.money import MAX_AMOUNT, TaxSplit
from ocs_core.performed import Performed, RequestKey
from ocs_core.rules import RULES, Rule, at, check, within
from ocs_core.rules.rule import rule
from ocs_core.testkit.examples import NOW, configuration

from .scene import NOBODY, NOTHING, Scene

CONFIGURATION = configuration()
UTC = zone("UTC")


@pytest.fixture(autouse=True)
def own_catalogue() -> Iterator[None]:
    """Rules made in a test are forgotten after it."""
    with patch.dict(RULES):
        yield


def test_a_rule_is_catalogued_under_its_functions_name_with_its_docstring_as_the_sentence() -> None:
    @rule("TOO_ODD", "/number")
    def number_is_even(number: int) -> str | None:
        """The number is even."""
        return f"{number} is odd." if number % 2 else None

    assert RULES["number_is_even"] == Rule("number_is_even", "TOO_ODD", "/number", "The number is even.")
    assert number_is_even.__name__ == "number_is_even"
    assert number_is_even.__doc__ == "The number is even."
    assert number_is_even(2) is None
    assert number_is_even(number=3) == Violation("TOO_ODD", "/number", "3 is odd.")


def test_an_empty_complaint_is_a_complaint() -> None:
    @rule("ALWAYS", "/x")
    def never() -> str | None:
        """Never."""
        return ""

    assert never() == Violation("ALWAYS", "/x", "")


def test_a_rule_without_a_docstring_has_no_sentence() -> None:
    @rule("ALWAYS", "/x")
    def never() -> str | None:
        return None

    assert RULES["never"].sentence == ""


def told(*fields: str) -> list[Violation]:
    return [Violation("WRONG", field, f"number {index}") for index, field in enumerate(fields)]


def test_violations_are_told_in_the_order_of_the_operations_fields_then_of_the_rules() -> None:
    violations = told("/z", "/b", "", "/a/0/b", "/y", "/a", "/b/1")

    with pytest.raises(RequestRejected) as refused:
        check(None, *violations, None, fields=("a", "b"))

    assert [v.field for v in refused.value.violations] == ["", "/a/0/b", "/a", "/b", "/b/1", "/z", "/y"]


def test_nothing_is_refused_where_every_rule_is_kept() -> None:
    check()
    check(None, None, fields=("a",))


def test_violations_of_an_item_are_told_within_it_or_as_it() -> None:
    (violation,) = told("/tax")

    assert within("/events/17", [None, violation, None]) == [Violation("WRONG", "/events/17/tax", "number 0")]
    assert at("/accounts/17", [None, violation, None]) == [Violation("WRONG", "/accounts/17", "number 0")]


def complaint(violation: Violation | None) -> str:
    """What the rule says, being broken."""
    assert violation is not None
    return violation.message


def test_a_total_may_be_the_largest_number_and_no_larger() -> None:
    assert rules.documents.total_fits(MAX_AMOUNT) is None
    assert rules.documents.total_fits(MAX_AMOUNT + 1) is not None


def test_a_total_that_rounds_to_nothing_is_told_as_that_and_not_as_too_fine() -> None:
    """4000 millionths are fine enough: 5000, as fine, are taken."""
    nothing = complaint(rules.common.total_is_payable(CONFIGURATION, 4000, 0, "EUR"))

    assert "0.004 EUR rounds to nothing" in nothing
    assert "0.01 EUR" in nothing
    assert "steps of 10000 millionths" in complaint(rules.common.total_is_payable(CONFIGURATION, 15_000, 15_000, "EUR"))
    assert rules.common.total_is_payable(CONFIGURATION, 5000, 10_000, "EUR") is None
    assert rules.common.total_is_payable(CONFIGURATION, 4000, 0, "XTS") is None


def test_an_adjustment_may_be_the_largest_number_with_its_tax_and_no_larger() -> None:
    assert rules.charging.adjustment_fits(None) is None
    assert rules.charging.adjustment_fits(TaxSplit(MAX_AMOUNT - 1, 1, MAX_AMOUNT)) is None
    assert rules.charging.adjustment_fits(TaxSplit(MAX_AMOUNT, 1, MAX_AMOUNT + 1)) is not None


def test_no_more_is_settled_of_a_document_than_is_due(scene: Scene) -> None:
    document, due = scene.document, scene.document.due_amount

    assert rules.documents.amount_is_due(document, due, "EUR", None, UTC) is None
    assert str(due) in complaint(rules.documents.amount_is_due(document, due + 1, "EUR", Shortage(NOW, due), UTC))


def test_no_more_is_taken_of_a_payment_than_remains(scene: Scene) -> None:
    payment, remaining = scene.identified, scene.identified.remaining_amount

    assert rules.payments.amount_remains(payment, remaining, "EUR", None, UTC) is None
    short = Shortage(NOW, remaining)
    assert str(remaining) in complaint(rules.payments.amount_remains(payment, remaining + 1, "EUR", short, UTC))


def test_what_did_not_fit_in_the_past_is_told_with_the_day_where_the_payer_is(scene: Scene) -> None:
    short = Shortage(dt.datetime(2024, 1, 5, 23, 30, tzinfo=dt.UTC), 7)

    for judged in (
        rules.payments.amount_remains(scene.identified, 8, "EUR", short, UTC),
        rules.documents.amount_is_due(scene.document, 8, "EUR", short, UTC),
    ):
        assert "On 2024-01-05 " in complaint(judged)
        assert " 7 millionths" in complaint(judged)
    assert "2024-01-06" in complaint(
        rules.payments.amount_remains(scene.identified, 8, "EUR", short, zone("Europe/Madrid"))
    )
    remaining, due = scene.identified.remaining_amount, scene.document.due_amount
    for all_of_it in (
        rules.payments.amount_remains(scene.identified, remaining, "EUR", short, UTC),
        rules.documents.amount_is_due(scene.document, due, "EUR", short, UTC),
    ):
        assert "On 2024-01-05 " in complaint(all_of_it), "all of it is there now"


@pytest.mark.parametrize("changes", [{"cancelled": True}, {"currency": "USD"}])
def test_an_amount_is_not_complained_of_where_another_rule_refuses_the_item(
    scene: Scene, changes: dict[str, object]
) -> None:
    document: Document = attrs.evolve(scene.document, **changes)
    payment: Payment = attrs.evolve(scene.identified, **changes)

    assert rules.documents.amount_is_due(document, MAX_AMOUNT, "EUR", Shortage(NOW, 0), UTC) is None
    assert rules.payments.amount_remains(payment, MAX_AMOUNT, "EUR", Shortage(NOW, 0), UTC) is None


def test_items_that_are_missing_keep_the_rules_about_their_amounts() -> None:
    assert rules.documents.amount_is_due(None, MAX_AMOUNT, "EUR", None, UTC) is None
    assert rules.payments.amount_remains(None, MAX_AMOUNT, "EUR", None, UTC) is None


@pytest.mark.parametrize("nothing", [None, UNSET])
def test_a_payment_method_that_is_not_given_needs_no_configuration(nothing: None) -> None:
    assert rules.payments.payment_method_is_configured(CONFIGURATION, nothing) is None


def test_a_run_exists_when_it_is_found(scene: Scene) -> None:
    assert rules.processes.run_exists(scene.desk.start_run()) is None
    assert rules.processes.run_exists(None) is not None


def test_a_run_that_is_over_names_the_state_it_is_in_and_one_that_does_not_exist_is_not_complained_of(
    scene: Scene,
) -> None:
    assert rules.processes.run_is_going_on(scene.run) is None
    assert rules.processes.run_is_going_on(None) is None
    for over in RunState.DONE, RunState.DONE_WITH_FAILURES, RunState.CANCELLED:
        complaint = rules.processes.run_is_going_on(attrs.evolve(scene.run, state=over))
        assert complaint is not None
        assert complaint.message == f"The run is over: it is {over}."


def test_an_unidentified_payment_is_told_from_that_of_another_account(scene: Scene) -> None:
    of_another = complaint(rules.accounts.account_owns_the_payment(scene.other, scene.identified))

    assert "another account" in of_another
    assert "another account" not in complaint(rules.accounts.account_owns_the_payment(scene.other, scene.unidentified))


def test_a_payments_account_is_named_by_the_callers_id_or_else_by_ours(scene: Scene) -> None:
    own = scene.desk.payment(account=(without_id := scene.desk.account()))

    assert "A-1" in complaint(rules.payments.payment_is_unidentified(scene.identified))
    assert str(without_id.ref_id) in complaint(rules.payments.payment_is_unidentified(own))


def test_an_account_that_is_not_there_is_named_as_the_caller_named_it() -> None:
    for exists in (rules.accounts.account_exists, rules.accounts.parent_exists):
        assert f"refId {NOTHING}" in complaint(exists(AccountName(ref_id=NOTHING), None))
        assert "externalId nobody" in complaint(exists(NOBODY, None))


def test_a_reason_of_another_kind_is_told_from_one_that_is_not_configured() -> None:
    assert "correction" in complaint(rules.common.reason_is_configured(CONFIGURATION, "mistake", "correction"))
    assert "correction" not in complaint(rules.common.reason_is_configured(CONFIGURATION, "whim", "correction"))


def test_an_account_type_that_is_disabled_is_told_from_one_that_is_not_configured() -> None:
    settings = configuration(AccountType(code="old", disabled=True))

    assert "disabled" in complaint(rules.accounts.account_type_is_configured(settings, "old"))
    assert "disabled" not in complaint(rules.accounts.account_type_is_configured(settings, "imaginary"))


def test_a_tax_without_a_rate_is_told_from_one_that_is_not_configured() -> None:
    day = dt.date(1999, 12, 31)

    assert "1999-12-31" in complaint(rules.documents.tax_has_a_rate(CONFIGURATION, "vat21", day))
    assert "1999-12-31" not in complaint(rules.documents.tax_has_a_rate(CONFIGURATION, "salt", day))


def test_a_charge_that_does_not_add_up_is_told_with_the_sum() -> None:
    assert "121" in complaint(rules.charging.charge_and_tax_add_up(100, 21, 120))


def test_of_names_that_nothing_has_each_is_told_as_the_caller_wrote_it() -> None:
    one = complaint(rules.documents.document_exists(DocumentName(document_no="D-1"), None))
    several = complaint(
        rules.documents.document_exists(DocumentName(document_no="D-1", external_document_no="X-1"), None)
    )

    assert "documentNo D-1" in one
    assert "documentNo D-1 and externalDocumentNo X-1" in several
    assert "same" in several
    assert "same" not in one


def test_what_only_an_incoming_payment_has_is_looked_for_among_those() -> None:
    assert "no incoming payment" in complaint(
        rules.payments.payment_exists(PaymentName(external_payment_no="E-1"), None)
    )
    assert "no payment" in complaint(rules.payments.payment_exists(PaymentName(payment_no="P-1"), None))


def performed(*ref_ids: UUID) -> Performed:
    """A command performed so long ago that its answer is gone."""
    return Performed(
        key=RequestKey("tests", "1"),
        operation="RegisterPayment",
        digest=b"",
        ref_ids=ref_ids,
        performed_at=NOW - dt.timedelta(days=91),
        answer=None,
    )


def test_where_the_answer_is_gone_everything_that_was_touched_is_told() -> None:
    first, second = UUID(int=1), UUID(int=2)

    assert f"{first}, {second}" in complaint(rules.common.answer_is_still_kept(performed(first, second), NOW))
    assert "nothing" in complaint(rules.common.answer_is_still_kept(performed(), NOW))


def test_each_kind_of_master_data_that_the_process_lacks_is_named() -> None:
    told = [complaint(violation) for violation in rules.processes.process_is_configured(Configuration.of())]

    lacking = ["document types", "payment types", "currencies", CollectionBalanceCalculated.code, CollectionStart.code]
    assert len(told) == 4
    assert all(what in message for what, message in zip(lacking, [*told, told[-1]], strict=True))
    assert rules.processes.process_is_configured(CONFIGURATION) == [None] * 4
