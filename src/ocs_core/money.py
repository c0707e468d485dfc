"""Money: whole millionths of a currency unit, exact, and the one place where anything is rounded (domain: section 2)."""

import re
from typing import Self

import attrs

from ocs_core.errors import AmountOutOfRange, InvalidValue

MILLIONTHS = 1_000_000
"""How many millionths one currency unit has: 49.90 EUR is 49_900_000."""
MAX_AMOUNT = 2**63 - 1
MIN_AMOUNT = -(2**63)
BASIS_POINTS = 10_000
_DECIMAL = re.compile(r"([+-]?)(\d{1,40})(?:\.(\d{1,6}))?")


def within_range(amount: int) -> int:
    """The amount itself, in millionths; raises `AmountOutOfRange` beyond signed 64 bits."""
    if not MIN_AMOUNT <= amount <= MAX_AMOUNT:
        raise AmountOutOfRange(f"{amount} millionths do not fit signed 64 bits")
    return amount


def divide_half_away(numerator: int, denominator: int) -> int:
    """`numerator / denominator` as a whole number, halves rounded away from zero. The denominator is positive."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def minor_unit(minor_digits: int) -> int:
    """The smallest payable amount of a currency, in millionths: 10_000 where a currency has 2 minor digits."""
    return int(10 ** (6 - minor_digits))


def is_whole_minor_units(amount: int, minor_digits: int) -> bool:
    return amount % minor_unit(minor_digits) == 0


def round_to_minor_units(amount: int, minor_digits: int) -> int:
    """The nearest whole number of minor units, in millionths, halves away from zero."""
    unit = minor_unit(minor_digits)
    return divide_half_away(amount, unit) * unit


@attrs.frozen
class TaxSplit:
    """An amount taken apart, in millionths: `without_tax + tax == with_tax`, always."""

    without_tax: int
    tax: int
    with_tax: int


def split_tax(amount: int, rate: int, *, tax_included: bool) -> TaxSplit:
    """Take a positive amount of millionths apart at a rate in basis points (domain: section 2).

    The whole may exceed 64 bits where tax is added; who keeps it checks that.
    """
    if tax_included:
        without = divide_half_away(amount * BASIS_POINTS, BASIS_POINTS + rate)
        return TaxSplit(without, amount - without, amount)
    tax = divide_half_away(amount * rate, BASIS_POINTS)
    return TaxSplit(amount, tax, amount + tax)


@attrs.frozen(order=False)
class Money:
    """An amount in millionths with its currency (ISO 4217). Only money of one currency adds up or compares.

    Raises `AmountOutOfRange` beyond 64 bits and `InvalidValue` where two currencies meet.
    """

    amount: int
    currency: str

    def __attrs_post_init__(self) -> None:
        within_range(self.amount)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read what people write, `49.90`: digits, a point, at most six places. Raises `InvalidValue` for anything else."""
        match = _DECIMAL.fullmatch(text.strip())
        if match is None or not text.isascii():
            raise InvalidValue(f"{text!r} is not an amount such as 49.90 (digits, a point, at most six places)")
        sign, units, fraction = match.groups()
        amount = int(units) * MILLIONTHS + int((fraction or "").ljust(6, "0"))
        return cls(-amount if sign == "-" else amount, currency)

    def format(self, minor_digits: int = 2) -> str:
        """As people read it, `49.90 EUR`; finer places show only where there are any."""
        return format_amount(self.amount, self.currency, minor_digits)

    def __str__(self) -> str:
        return self.format()

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._comparable(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._comparable(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._comparable(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._comparable(other)

    def _comparable(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise InvalidValue(f"{self.currency} and {other.currency} do not add up or compare: nothing is converted")
        return other.amount


def format_amount(amount: int, currency: str, minor_digits: int) -> str:
    """Millionths of a currency as people read them, however many: `49.90 EUR`."""
    units, millionths = divmod(abs(amount), MILLIONTHS)
    fraction = f"{millionths:06d}".rstrip("0").ljust(minor_digits, "0")
    return f"{'-' if amount < 0 else ''}{units}{'.' if fraction else ''}{fraction} {currency}"
