"""Adjustments: credits in any steps, and what they may never do."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.entities.account import Account
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeType
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryStore
from ocs_core.money import MAX_AMOUNT, split_tax
from ocs_core.testkit.examples import UNIT, Desk, configuration
from ocs_core.testkit.strategies import tax_rates
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest


@attrs.frozen
class Adjusted:
    """A chargeable event in a store, and what is left of it after its adjustments."""

    desk: Desk
    event: ChargeableEvent

    @classmethod
    def of(cls, charge: int, tax: int, rate: int) -> "Adjusted":
        desk = Desk(MemoryStore(configuration()))
        account: Account = desk.account("A-1")
        return cls(desk, desk.event(account=account, charge=charge, tax=tax, tax_rate=rate))

    def adjust(self, charge_type: ChargeType, amount: int, *, tax_included: bool) -> ChargeableEvent:
        request = AdjustChargeableEventRequest(
            request_id=self.desk.request_id(),
            chargeable_event_ref_id=self.event.ref_id,
            charge_type=charge_type,
            charge_adjustment=amount,
            currency="EUR",
            tax_included=tax_included,
        )
        (step,) = self.desk.perform(AdjustChargeableEvent, request).steps
        assert isinstance(step.object, ChargeableEvent)
        return step.object

    def left(self) -> tuple[int, int, int]:
        """Charge, tax and charge with tax after all adjustments."""
        assert isinstance(self.desk.store, MemoryStore)
        events = self.desk.store.entities[ChargeableEvent].values()
        return (
            sum(e.charge for e in events),
            sum(e.tax for e in events),
            sum(e.charge_with_tax for e in events),
        )


charges = st.integers(1, 10**9) | st.integers(1, 200) | st.just(MAX_AMOUNT // 12)


@given(st.data(), charges, tax_rates, st.booleans())
def test_credits_in_any_steps_of_an_event_end_at_nothing(
    data: st.DataObject, charge: int, rate: int, tax_as_computed: bool
) -> None:
    tax = split_tax(charge, rate, tax_included=False).tax if tax_as_computed else data.draw(st.integers(0, charge))
    adjusted = Adjusted.of(charge, tax, rate)

    for step in range(12):
        without_tax, _, with_tax = adjusted.left()
        if with_tax == 0:
            break
        tax_included = without_tax == 0 or data.draw(st.booleans())
        most = with_tax if tax_included else without_tax
        amount = most if step == 10 else data.draw(st.integers(1, most))
        if step != 10 and data.draw(st.integers(0, 4)) == 0:
            adjusted.adjust(ChargeType.DEBIT, min(amount, 10**9), tax_included=tax_included)
        else:
            credit = adjusted.adjust(ChargeType.CREDIT, amount, tax_included=tax_included)
            assert amount == -(credit.charge_with_tax if tax_included else credit.charge)
            assert max(credit.charge, credit.tax, credit.charge_with_tax) <= 0
            assert credit.charge + credit.tax == credit.charge_with_tax
        assert min(adjusted.left()) >= 0
        if amount == most and step == 10:
            break

    without_tax, _, with_tax = adjusted.left()
    if with_tax:
        adjusted.adjust(ChargeType.CREDIT, with_tax, tax_included=True)
    assert adjusted.left() == (0, 0, 0)


@given(charges, tax_rates, st.booleans())
def test_one_credit_of_the_whole_takes_every_part(charge: int, rate: int, tax_included: bool) -> None:
    tax = split_tax(charge, rate, tax_included=False).tax
    adjusted = Adjusted.of(charge, tax, rate)

    adjusted.adjust(ChargeType.CREDIT, charge + tax if tax_included else charge, tax_included=tax_included)

    assert adjusted.left() == (0, 0, 0)


@given(charges, tax_rates, st.booleans())
def test_a_millionth_more_than_the_whole_is_refused(charge: int, rate: int, tax_included: bool) -> None:
    tax = split_tax(charge, rate, tax_included=False).tax
    adjusted = Adjusted.of(charge, tax, rate)

    with pytest.raises(RequestRejected, match="ADJUSTMENT_EXCEEDS_CHARGE at /chargeAdjustment"):
        adjusted.adjust(ChargeType.CREDIT, (charge + tax if tax_included else charge) + 1, tax_included=tax_included)

    assert adjusted.left() == (charge, tax, charge + tax)


def test_a_debit_makes_room_for_a_credit() -> None:
    adjusted = Adjusted.of(10 * UNIT, 2_100_000, 2100)
    adjusted.adjust(ChargeType.DEBIT, 5 * UNIT, tax_included=False)

    adjusted.adjust(ChargeType.CREDIT, 15 * UNIT, tax_included=False)

    assert adjusted.left() == (0, 0, 0)


def test_crumbs_of_tax_are_credited_away_with_tax_included() -> None:
    """Many credits of one millionth round their tax to nothing; the last one takes all the tax that is left."""
    adjusted = Adjusted.of(5, 1, 2100)
    for _ in range(4):
        assert adjusted.adjust(ChargeType.CREDIT, 1, tax_included=False).tax == 0

    last = adjusted.adjust(ChargeType.CREDIT, 1, tax_included=False)

    assert (last.charge, last.tax) == (-1, -1)
    assert adjusted.left() == (0, 0, 0)
