"""Money is exact over the whole 64-bit range, and rounded in one place."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocs_core.errors import AmountOutOfRange, InvalidValue
from ocs_core.money import (
    MAX_AMOUNT,
    MIN_AMOUNT,
    Money,
    divide_half_away,
    is_whole_minor_units,
    minor_unit,
    round_to_minor_units,
    split_tax,
    within_range,
)
from ocs_core.testkit.strategies import amounts, positive_amounts, tax_rates


def half_away(exact: Fraction) -> int:
    """The independent reading: halves go away from zero."""
    nearest = floor(abs(exact) + Fraction(1, 2))
    return nearest if exact >= 0 else -nearest


@given(amounts, st.integers(0, 6))
@example(MAX_AMOUNT, 2)
@example(MIN_AMOUNT, 0)
def test_what_people_read_is_read_back_exactly(amount: int, minor_digits: int) -> None:
    text = Money(amount, "EUR").format(minor_digits)

    number, _, currency = text.partition(" ")
    assert Money.parse(number, currency) == Money(amount, "EUR")
    assert Fraction(number) * 1_000_000 == amount


@pytest.mark.parametrize(
    ("amount", "minor_digits", "text"),
    [
        (49_900_000, 2, "49.90 EUR"),
        (-49_900_000, 2, "-49.90 EUR"),
        (1, 2, "0.000001 EUR"),
        (-1, 0, "-0.000001 EUR"),
        (0, 2, "0.00 EUR"),
        (0, 0, "0 EUR"),
        (1_234_000_000, 0, "1234 EUR"),
        (MAX_AMOUNT, 2, "9223372036854.775807 EUR"),
        (MIN_AMOUNT, 2, "-9223372036854.775808 EUR"),
    ],
)
def test_money_reads_as_people_write_it(amount: int, minor_digits: int, text: str) -> None:
    assert Money(amount, "EUR").format(minor_digits) == text


def test_money_shows_two_places_unless_asked() -> None:
    assert str(Money(49_900_000, "EUR")) == "49.90 EUR"


@pytest.mark.parametrize("text", ["49.90", " 49.9 ", "+49.900000", "0049.90"])
def test_money_is_read_as_people_write_it(text: str) -> None:
    assert Money.parse(text, "EUR").amount == 49_900_000


@pytest.mark.parametrize(
    "text",
    ["", " ", "49,90", "1e3", "49.", ".9", "1 000", "0.1234567", "٤٩", "４９", "--1", "NaN", "inf", "9" * 5000],
    ids=lambda t: ascii(t)[:20],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidValue):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("text", ["9223372036854.775808", "-9223372036854.775809", "9" * 40])
def test_money_beyond_64_bits_is_refused_when_read(text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        Money.parse(text, "EUR")


@given(amounts, amounts)
def test_money_adds_up_exactly_or_is_refused(one: int, other: int) -> None:
    for exact, result in (
        (one + other, lambda: Money(one, "EUR") + Money(other, "EUR")),
        (one - other, lambda: Money(one, "EUR") - Money(other, "EUR")),
        (-one, lambda: -Money(one, "EUR")),
    ):
        if MIN_AMOUNT <= exact <= MAX_AMOUNT:
            assert result() == Money(exact, "EUR")
        else:
            with pytest.raises(AmountOutOfRange):
                result()


@given(amounts, amounts)
def test_money_compares_as_its_amounts_do(one: int, other: int) -> None:
    a, b = Money(one, "EUR"), Money(other, "EUR")

    assert (a < b, a <= b, a > b, a >= b, a == b) == (
        one < other,
        one <= other,
        one > other,
        one >= other,
        one == other,
    )


def test_money_of_two_currencies_neither_adds_up_nor_compares() -> None:
    euro, dollar = Money(1, "EUR"), Money(1, "USD")

    assert euro != dollar
    for impossible in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro <= dollar,
    ):
        with pytest.raises(InvalidValue, match="nothing is converted"):
            impossible()


@given(st.integers(-(2**70), 2**70))
def test_only_what_fits_64_bits_is_within_range(amount: int) -> None:
    if -(2**63) <= amount < 2**63:
        assert within_range(amount) == amount
    else:
        with pytest.raises(AmountOutOfRange):
            within_range(amount)


@given(amounts, st.integers(1, 10**12))
@example(1, 2)
@example(-1, 2)
@example(-3, 2)
def test_halves_are_rounded_away_from_zero(numerator: int, denominator: int) -> None:
    assert divide_half_away(numerator, denominator) == half_away(Fraction(numerator, denominator))


@pytest.mark.parametrize(("minor_digits", "unit"), [(0, 1_000_000), (2, 10_000), (3, 1000), (6, 1)])
def test_a_currencys_minor_digits_say_how_fine_it_is_paid(minor_digits: int, unit: int) -> None:
    assert minor_unit(minor_digits) == unit
    assert is_whole_minor_units(7 * unit, minor_digits)
    assert is_whole_minor_units(-7 * unit, minor_digits)
    assert is_whole_minor_units(unit + 1, minor_digits) == (unit == 1)


@given(amounts, st.integers(0, 6))
def test_rounding_gives_the_nearest_payable_amount(amount: int, minor_digits: int) -> None:
    unit, rounded = minor_unit(minor_digits), round_to_minor_units(amount, minor_digits)

    assert is_whole_minor_units(rounded, minor_digits)
    assert rounded == half_away(Fraction(amount, unit)) * unit
    assert 2 * abs(rounded - amount) <= unit


@given(positive_amounts, tax_rates)
@example(MAX_AMOUNT, 100_000)
def test_tax_taken_out_of_an_amount_leaves_the_whole(amount: int, rate: int) -> None:
    split = split_tax(amount, rate, tax_included=True)

    assert split.without_tax + split.tax == split.with_tax == amount
    assert split.without_tax == half_away(Fraction(amount * 10_000, 10_000 + rate))
    assert min(split.without_tax, split.tax) >= 0


@given(positive_amounts, tax_rates)
@example(1, 5000)
@example(50, 100)
def test_tax_put_on_an_amount_makes_the_whole(amount: int, rate: int) -> None:
    split = split_tax(amount, rate, tax_included=False)

    assert split.without_tax == amount
    assert split.tax == half_away(Fraction(amount * rate, 10_000))
    assert split.with_tax == split.without_tax + split.tax


@given(positive_amounts, tax_rates)
def test_tax_put_on_and_taken_out_again_gives_the_amount_back(amount: int, rate: int) -> None:
    there = split_tax(amount, rate, tax_included=False)

    assert split_tax(there.with_tax, rate, tax_included=True) == there
