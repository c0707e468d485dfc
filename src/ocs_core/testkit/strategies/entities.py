"""Hypothesis strategies for entities that could be stored: `payments(currency="EUR")`; keywords fix any field.

Registered with Hypothesis through its entry point, so that `st.from_type(Payment)` works in a project that installs the
kit. What a field's own type does not say (what remains is at most the amount, parts add up) holds here.
"""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from ocs_core.entities.account import Account, AccountRef, AccountState, Payer
from ocs_core.entities.chargeable_event import ChargeableEvent, ChargeableEventKind
from ocs_core.entities.configuration import Configuration, SystemSetting
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.entities.payment import MoneyOrder, OperationType, Payment, PaymentHistory, PaymentType
from ocs_core.entities.settlement import Settlement, SettlementSide
from ocs_core.form import Text
from ocs_core.ledger import Ledger
from ocs_core.money import Money, minor_unit
from ocs_core.testkit.examples import configuration
from ocs_core.testkit.strategies.ledgers import ledgers
from ocs_core.testkit.strategies.values import ZONES, amounts, days, instants, payable_amounts, texts, texts_of, uuids

CURRENCIES = ("EUR", "USD", "JPY")
_DIGITS = {"JPY": 0}

external_ids = texts_of(Text(255, trimmed=True))
account_refs = st.builds(AccountRef, uuids, st.none() | external_ids)
versions = st.integers(1, 2**40)


def _any_of(draw: st.DrawFn, fixed: dict[str, Any], **drawn: st.SearchStrategy[Any]) -> dict[str, Any]:
    """What is fixed, and the rest as drawn."""
    return {name: draw(strategy) for name, strategy in drawn.items() if name not in fixed} | fixed


def _cancellation(draw: st.DrawFn, fixed: dict[str, Any]) -> dict[str, Any]:
    cancelled = fixed.get("cancelled", draw(st.booleans()))
    if not cancelled:
        return {"cancelled": False, "cancel_reason": None, "cancelled_at": None} | fixed
    return _any_of(draw, {"cancelled": True} | fixed, cancel_reason=st.just("mistake"), cancelled_at=instants)


@st.composite
def accounts(draw: st.DrawFn, /, **fixed: Any) -> Account:
    """An account in any state, payment responsible or below an account that is, or with nobody to pay for it."""
    own = _any_of(draw, fixed, ref_id=uuids, external_id=st.none() | external_ids)
    itself = AccountRef(own["ref_id"], own["external_id"])
    return Account(
        **_any_of(
            draw,
            own,
            account_type=st.sampled_from(["payer", "technical"]),
            currency=st.sampled_from(CURRENCIES),
            customer=st.none() | texts,
            parent=st.none() | account_refs,
            payer_account=st.sampled_from([itself, None]) | account_refs,
            segment=st.none() | texts,
            state=st.sampled_from(AccountState),
            version=versions,
        )
    )


@st.composite
def payers(draw: st.DrawFn, /, **fixed: Any) -> Payer:
    """A payer, in collection or not, with offsets of its own or none."""
    offsets = st.dictionaries(st.sampled_from(["genericInvoice", "creditNote", "deposit"]), st.integers(0, 3650))
    excluded = fixed.get("invoicing_excluded", draw(st.booleans()))
    calculated = draw(st.booleans())
    return Payer(
        **_any_of(
            draw,
            {"invoicing_excluded": excluded} | fixed,
            account=account_refs,
            account_type=st.just("payer"),
            payment_method=st.none() | st.sampled_from(["bankTransfer", "cash"]),
            invoicing_excluded_to=st.none() | instants if excluded else st.none(),
            due_date_offset=st.none() | st.integers(0, 3650),
            due_date_offsets=offsets,
            iban=st.none() | texts,
            bank_account_number_direct_debit=st.none() | texts,
            collection_balance=amounts if calculated else st.none(),
            oldest_due_date=st.none() | days if calculated else st.none(),
            in_collection=st.booleans() if calculated else st.just(False),
            collection_balance_as_of=instants if calculated else st.none(),
            version=versions,
        )
    )


_money_orders = st.builds(
    MoneyOrder, name=texts, **{part: st.none() | texts for part in ("address", "city", "postal_code", "country")}
)


@st.composite
def payments(draw: st.DrawFn, /, **fixed: Any) -> Payment:
    """A payment of any type, identified or not, assigned in part or wholly, cancelled or not."""
    currency = fixed.get("currency", draw(st.sampled_from(CURRENCIES)))
    kind = fixed.get("payment_type", draw(st.sampled_from(PaymentType)))
    digits = _DIGITS.get(currency, 2)
    amount = fixed.get("payment_amount", draw(payable_amounts(digits)))
    unit = minor_unit(digits)
    return Payment(
        **_any_of(
            draw,
            {"currency": currency, "payment_type": kind, "payment_amount": amount} | _cancellation(draw, fixed) | fixed,
            ref_id=uuids,
            payment_no=st.integers(1, 10**10 - 1).map("P{:010d}".format),
            external_payment_no=st.none() | external_ids,
            payment_method=st.sampled_from(["bankTransfer", "cash"]),
            remaining_amount=st.integers(0, amount // unit).map(lambda units: units * unit),
            payment_date_received=instants if kind is PaymentType.IN else st.none() | instants,
            payment_date_sent=instants if kind is PaymentType.OUT else st.none() | instants,
            payment_ref1=st.none() | texts,
            payer_note=st.none() | texts,
            money_order=st.none() | _money_orders if kind is PaymentType.OUT else st.none(),
            account=st.none() | account_refs if kind is PaymentType.IN else account_refs,
            version=versions,
        )
    )


@st.composite
def payment_histories(draw: st.DrawFn, /, **fixed: Any) -> PaymentHistory:
    """One entry of a payment's history."""
    kind = fixed.get("payment_type", draw(st.sampled_from(PaymentType)))
    what = st.sampled_from(["CREATED", "UPDATED", "IDENTIFIED", "UNIDENTIFIED", "CANCELLED"])
    return PaymentHistory(
        **_any_of(
            draw,
            {"payment_type": kind} | fixed,
            ref_id=uuids,
            operation_type=st.sampled_from(OperationType),
            operation_code=what.map(f"{kind.history_prefix}_{{}}".format),
            created_date=instants,
            created_by=texts,
            operation_parameters=st.dictionaries(texts, texts, max_size=2),
            payment_ref_id=uuids,
            effective_date=instants,
            ref_document_ref_id=st.none() | uuids,
        )
    )


@st.composite
def documents(draw: st.DrawFn, /, **fixed: Any) -> Document:
    """A document whose parts add up, settled in part, wholly or not at all, cancelled or not."""
    currency = fixed.get("currency", draw(st.sampled_from(CURRENCIES)))
    unit = minor_unit(_DIGITS.get(currency, 2))
    total = fixed.get("total_amount_net", draw(payable_amounts(_DIGITS.get(currency, 2))))
    tax = fixed.get("total_amount_tax", draw(st.integers(0, total // 2)))
    rounding = fixed.get("rounding_compensation", draw(st.integers(-(unit // 2), unit // 2)))
    parts = {
        "currency": currency,
        "total_amount_net": total,
        "total_amount_tax": tax,
        "rounding_compensation": rounding,
        "total_amount": total - tax - rounding,
    }
    issued = fixed.get("document_issued_date", draw(days))
    return Document(
        **_any_of(
            draw,
            parts | {"document_issued_date": issued} | _cancellation(draw, fixed) | fixed,
            ref_id=uuids,
            document_no=st.integers(1, 10**10 - 1).map("D{:010d}".format),
            external_document_no=st.none() | external_ids,
            document_type=st.sampled_from(["genericInvoice", "creditNote", "deposit"]),
            account=account_refs,
            document_tax_date=st.just(issued),
            document_due_date=st.integers(0, 90).map(lambda later: issued + dt.timedelta(days=later)),
            due_amount=st.integers(0, total // unit).map(lambda units: units * unit) | st.sampled_from([0, total]),
            due_amount_type=st.sampled_from(DueAmountType),
            payment_ref1=st.none() | texts,
            document_name=st.none() | texts,
            customer=st.none() | texts,
            payment_method=st.none() | st.sampled_from(["bankTransfer", "cash"]),
            billing_period_start=st.none() | days,
            custom_attributes=st.none() | st.dictionaries(texts_of(Text(60, trimmed=True)), texts, max_size=2),
            version=versions,
        )
    )


@st.composite
def settlements(draw: st.DrawFn, /, **fixed: Any) -> Settlement:
    """A settlement, in effect for good or until it was cancelled."""
    return Settlement(
        **_any_of(
            draw,
            _cancellation(draw, fixed) | fixed,
            ref_id=uuids,
            account=account_refs,
            source=st.sampled_from([SettlementSide.PAYMENT_IN, SettlementSide.DOCUMENT_LIABILITY]),
            source_ref_id=uuids,
            target=st.sampled_from([SettlementSide.DOCUMENT_AR, SettlementSide.PAYMENT_OUT]),
            target_ref_id=uuids,
            amount=payable_amounts(),
            currency=st.sampled_from(["EUR", "USD"]),
            effective_at=instants,
            created_at=instants,
            created_by=texts,
            version=versions,
        )
    )


@st.composite
def chargeable_events(draw: st.DrawFn, /, **fixed: Any) -> ChargeableEvent:
    """A charge, or an adjustment of one: a credit is negative, a debit positive."""
    kind = fixed.get("kind", draw(st.sampled_from(ChargeableEventKind)))
    sign = -1 if kind is ChargeableEventKind.CREDIT else 1
    parts = st.integers(0, 10**15).map(lambda amount: sign * amount)
    charge, tax = fixed.get("charge", draw(parts)), fixed.get("tax", draw(parts))
    return ChargeableEvent(
        **_any_of(
            draw,
            {"kind": kind, "charge": charge, "tax": tax, "charge_with_tax": charge + tax} | fixed,
            ref_id=uuids,
            external_id=st.none() | external_ids,
            account=account_refs,
            event_type=texts,
            event_date=instants,
            currency=st.sampled_from(CURRENCIES),
            tax_rate=st.integers(0, 100_000),
            original_ref_id=st.none() if kind is ChargeableEventKind.CHARGE else uuids,
        )
    )


def configurations() -> st.SearchStrategy[Configuration]:
    """The example's master data in the zones where a day is hard to tell."""
    return st.sampled_from(ZONES).map(lambda zone: configuration(SystemSetting(zone=zone)))


def register() -> None:
    """Tell Hypothesis how the domain's types are made; it calls this itself, by its entry point."""
    strategies: dict[type, st.SearchStrategy[Any]] = {
        Account: accounts(),
        Payer: payers(),
        Payment: payments(),
        PaymentHistory: payment_histories(),
        Document: documents(),
        Settlement: settlements(),
        ChargeableEvent: chargeable_events(),
        Ledger: ledgers(),
        Configuration: configurations(),
        Money: st.builds(Money, amounts, st.sampled_from(CURRENCIES)),
    }
    for cls, strategy in strategies.items():
        st.register_type_strategy(cls, strategy)
