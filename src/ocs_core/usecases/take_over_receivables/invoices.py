"""The rows of a ledger as what they are: invoices and credits, with what is paid of them; and why some are neither."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.errors import AmountOutOfRange
from ocs_core.money import Money, format_amount, is_whole_minor_units, round_to_minor_units, split_tax, within_range
from ocs_core.usecases.take_over_receivables.words import Meaning


class NoInvoice(ValueError):
    """What a row says cannot be true together; the message says why."""


@attrs.frozen(kw_only=True)
class Invoice:
    """An invoice, or a credit; amounts in millionths, with tax.

    `paid` is what the ledger says was paid, on the day `settled`; where it is paid and there is no day, it is known to be
    paid by the day as of which the ledger is taken over. `due` is None where the row has none.
    """

    line: int
    customer: str
    number: str
    currency: str
    issued: dt.date
    due: dt.date | None
    amount: int
    credit: bool = False
    tax: str | None = None
    """The code of the configured tax that is in the amount."""
    paid: int = 0
    settled: dt.date | None = None

    def paid_by(self, as_of: dt.date) -> int:
        return 0 if self.settled and self.settled > as_of else self.paid


@attrs.frozen(kw_only=True)
class Line:
    """One row as it was read, before it is asked whether it makes sense; amounts in millionths with their signs, those that
    the row does not have are None."""

    line: int
    customer: str
    number: str
    currency: str
    issued: dt.date
    due: dt.date | None = None
    settled: dt.date | None = None
    status: Meaning | None = None
    type: Meaning | None = None
    amount: int | None = None
    net: int | None = None
    tax: int | None = None
    paid: int | None = None
    outstanding: int | None = None


SUMS = ("amount", "net", "tax", "paid", "outstanding")


def added_up(lines: Sequence[Line], repeated: Collection[str] = ()) -> Line:
    """The lines of one invoice as one; the amounts that are `repeated` are of the whole invoice and stand in each of them.

    Raises `NoInvoice` where they differ in anything but amounts.
    """
    first = lines[0]
    for field in ("customer", "currency", "issued", "due", "settled", "status", "type"):
        if len({getattr(line, field) for line in lines}) > 1:
            raise NoInvoice(f"the rows of number {first.number} differ in {field}: they cannot be added up")
    sums = {name: [getattr(line, name) for line in lines] for name in SUMS}
    for name in repeated:
        if len(set(sums[name])) > 1:
            raise NoInvoice(f"the rows of number {first.number} differ in {name}, which is said to be repeated")
        del sums[name]
    if mixed := [name for name, values in sums.items() if None in values and any(v is not None for v in values)]:
        raise NoInvoice(f"some rows of number {first.number} have no {' and no '.join(mixed)}: they cannot be added up")
    totals: dict[str, Any] = {name: None if None in values else sum(values) for name, values in sums.items()}
    return attrs.evolve(first, **totals)


def invoice_of(line: Line, configuration: Configuration, as_of: dt.date) -> Invoice:
    """What a row says, if it can be true. Raises `NoInvoice` with every reason why it cannot."""
    reasons: list[str] = []
    total = _total(line, reasons)
    credit = total < 0 or line.type is Meaning.CREDIT
    sign = -1 if total < 0 else 1
    amount = total * sign
    paid = _paid(line, amount, sign, reasons)
    try:
        within_range(amount)
        within_range(paid)
    except AmountOutOfRange as error:
        raise NoInvoice(str(error)) from None
    minor_digits = configuration.currencies[line.currency].minor_digits
    if total < 0 and line.type is Meaning.INVOICE:
        reasons.append(f"its type is an invoice, and its amount {_m(total, line)} is a credit's")
    if amount == 0:
        reasons.append("the amount is zero")
    for name, value in (("amount", amount), ("amount paid", paid)):
        if not is_whole_minor_units(value, minor_digits):
            shown = format_amount(value, line.currency, minor_digits)
            reasons.append(f"the {name} {shown} is finer than {line.currency} is paid (AMOUNT_TOO_FINE)")
    if line.due and line.due < line.issued:
        reasons.append(f"it was due on {line.due}, before it was issued on {line.issued}")
    if line.settled and line.settled < line.issued:
        reasons.append(f"it was settled on {line.settled}, before it was issued on {line.issued}")
    invoice = Invoice(
        line=line.line,
        customer=line.customer,
        number=line.number,
        currency=line.currency,
        issued=line.issued,
        due=line.due,
        amount=amount,
        credit=credit,
        tax=_tax(line, amount, sign, configuration, reasons),
        paid=paid,
        settled=line.settled if paid else None,
    )
    if credit and invoice.paid_by(as_of):
        reasons.append(
            "a credit that was used or paid out, wholly or in part, cannot be taken over; "
            "leave the row out, or give what is left of it as its amount"
        )
    if reasons:
        raise NoInvoice("; ".join(reasons))
    return invoice


def _total(line: Line, reasons: list[str]) -> int:
    """With tax."""
    amount, net, tax = line.amount, line.net, line.tax
    if amount is None:
        return (net or 0) + (tax or 0)
    if net is not None and tax is not None and net + tax != amount:
        reasons.append(f"{_m(net, line)} without tax and {_m(tax, line)} of tax are not {_m(amount, line)}")
    return amount


def _paid(line: Line, amount: int, sign: int, reasons: list[str]) -> int:
    """How much is paid, by all that the row says of it."""
    told = None if line.paid is None else line.paid * sign
    left = None if line.outstanding is None else line.outstanding * sign
    paid = told if told is not None else amount - left if left is not None else None
    if told is not None and left is not None and told + left != amount:
        reasons.append(f"{_m(told, line)} paid and {_m(left, line)} outstanding are not {_m(amount, line)}")
    if paid is None:
        if line.status is Meaning.PART:
            reasons.append("it is partly paid, and no column says how much")
        if line.status is Meaning.OPEN and line.settled:
            reasons.append(f"its status is open, and it was settled on {line.settled}")
        return amount if line.settled or line.status is Meaning.PAID else 0
    if paid < 0:
        reasons.append(f"{_m(paid, line)} is paid, less than nothing")
    if line.settled and paid == 0:
        reasons.append(f"it was settled on {line.settled}, and nothing is paid")
    agrees = {
        Meaning.PAID: paid >= amount,
        Meaning.PART: 0 < paid < amount,
        Meaning.OPEN: paid < amount,
    }
    if line.status and not agrees.get(line.status, True):
        reasons.append(f"its status is {line.status}, and {_m(paid, line)} of {_m(amount, line)} is paid")
    return max(paid, 0)


def _tax(line: Line, amount: int, sign: int, configuration: Configuration, reasons: list[str]) -> str | None:
    """The one configured tax that is in the amount, to the minor unit."""
    total = amount * sign
    tax = line.tax if line.tax is not None else total - line.net if line.net is not None else 0
    if tax == 0:
        return None
    minor_digits = configuration.currencies[line.currency].minor_digits
    fitting = [
        code
        for code, entry in configuration.taxes.items()
        if (rate := entry.rate_on(line.issued)) is not None
        and round_to_minor_units(split_tax(amount, rate, tax_included=True).tax, minor_digits) == tax * sign
    ]
    if len(fitting) != 1:
        which = f"several configured taxes ({', '.join(fitting)}) come" if fitting else "no configured tax comes"
        without = "" if line.net is not None else "if the amount is without it, say --column net=NAME; else "
        reasons.append(
            f"{which} to {_m(tax, line)} in {_m(total, line)} on {line.issued}; {without}configure it, or pass the columns "
            "of net and tax over with --ignore-column"
        )
        return None
    return fitting[0]


def _m(amount: int, line: Line) -> str:
    try:
        return str(Money(amount, line.currency))
    except AmountOutOfRange:
        return f"{amount} millionths"
