"""Reading ledgers: by one reading that fits every row, or asked about; never a wrong value."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ocs_core.entities.configuration import Configuration, Currency, Tax, TaxRateFrom
from ocs_core.money import MILLIONTHS
from ocs_core.usecases.take_over_receivables import (
    SYNONYMS,
    DateFormat,
    FileRefused,
    Meaning,
    Receivables,
    Row,
    Table,
    Terms,
    read_receivables,
)
from ocs_core.usecases.take_over_receivables.dates import CANDIDATES
from ocs_core.usecases.take_over_receivables.words import _KNOWN

CONFIGURATION = Configuration.of(
    Currency(code="EUR", symbol="€"),
    Currency(code="KWD", minor_digits=3),
    Currency(code="JPY", minor_digits=0),
    Tax(code="vat", rates=(TaxRateFrom(valid_from=dt.date(2000, 1, 1), rate=2100),)),
)
AS_OF = dt.date(2024, 12, 31)
COLUMNS = ("customer", "number", "issued", "due", "amount", "settled")
GOOD = {"customer": "C", "issued": "2024-05-14", "due": "", "amount": "5", "settled": ""}


def read(rows: Sequence[dict[str, str]], **terms: Any) -> Receivables:
    """Rows over what a good one has; each has a number of its own where it says none."""
    header = tuple(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
    full = [{**dict.fromkeys(header, ""), **GOOD, "number": f"N{n}", **row} for n, row in enumerate(rows)]
    table = Table(header, tuple(Row(n, row) for n, row in enumerate(full, 2)))
    return read_receivables(table, Terms(as_of=AS_OF, **{"currency": "EUR", **terms}), CONFIGURATION)


def amounts(texts: Sequence[str], **terms: Any) -> list[float]:
    found = read([{"amount": text} for text in texts], **terms)
    assert found.bad == ()
    return [(-1 if i.credit else 1) * i.amount / MILLIONTHS for i in found.invoices]


def refusal(texts: Sequence[str], **terms: Any) -> str:
    with pytest.raises(FileRefused) as refused:
        read([{"amount": text} for text in texts], **terms)
    return str(refused.value)


def read_or_asked(rows: Sequence[dict[str, str]], **terms: Any) -> Receivables | str:
    """What was read, or what was asked."""
    try:
        return read(rows, **terms)
    except FileRefused as refused:
        return str(refused)


DIALECTS = [(decimal, group) for decimal in ".," for group in ("", ",", ".", " ", "'") if group != decimal]


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[int], list[str]]:
    """A currency, amounts in its minor units, and how one dialect writes them."""
    currency, places = draw(st.sampled_from([("EUR", 2), ("KWD", 3), ("JPY", 0)]))
    decimal, group = draw(st.sampled_from(DIALECTS))
    minor = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
    whole = draw(st.booleans())
    texts = []
    for value in minor:
        units, fraction = divmod(value, 10**places)
        text = f"{units:,}".replace(",", group)
        if places and (fraction or not whole):
            text += f"{decimal}{fraction:0{places}d}"
        texts.append(text)
    return currency, [value * MILLIONTHS // 10**places for value in minor], texts


@given(written())
@example(("EUR", [1000 * MILLIONTHS], ["1.000"]))
@example(("KWD", [1_250_000], ["1.250"]))
def test_amounts_in_any_dialect_are_read_exactly_or_asked_about(ledger: tuple[str, list[int], list[str]]) -> None:
    currency, expected, texts = ledger
    found = read_or_asked([{"amount": text} for text in texts], currency=currency)
    if isinstance(found, str):
        assert "More than one reading of amounts fits every row" in found
        return
    assert found.bad == ()
    assert [i.amount for i in found.invoices] == expected


@given(written(), st.sampled_from(".,"))
def test_a_decimal_separator_that_is_told_is_right_or_refused(
    ledger: tuple[str, list[int], list[str]], told: str
) -> None:
    currency, expected, texts = ledger
    # In these currencies one separator before three digits has two readings that are both possible: whoever tells decides.
    assume(currency != "KWD")
    try:
        found = read([{"amount": text} for text in texts], currency=currency, decimal_separator=told)
    except FileRefused:
        return
    read_as = {i.number: i.amount for i in found.invoices}
    assert all(read_as.get(f"N{n}", amount) == amount for n, amount in enumerate(expected))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (
            ["1234.56", "-40.00", "40.00-", "(40.00)", "40.00 CR", "CR 40.00", "40.00 DR"],
            [1234.56, -40, -40, -40, -40, -40, 40],
        ),
        (["1.234,56 €", "EUR 99,90", "€ 5,00", "-€ 5,00", "(€5,00)", "5,00EUR"], [1234.56, 99.9, 5, -5, -5, 5]),
        (["1 234,50", "1.234,50", "1'234,50", "5,-", "5,--", "1.005,—"], [1234.5, 1234.5, 1234.5, 5, 5, 1005]),
        (["12,34,567.89", "1,23,456"], [1234567.89, 123456]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["−40.00", ".50", "+7"], [-40, 0.5, 7]),
        (["1234.500", "12.500", "0.250"], [1234.5, 12.5, 0.25]),
        (["100.0000", "1.2500"], [100, 1.25]),
        (["7", "12", "1000"], [7, 12, 1000]),
    ],
)
def test_amounts_are_read_as_people_write_them(texts: list[str], values: list[float]) -> None:
    assert amounts(texts) == values


@pytest.mark.parametrize(
    "text",
    ["1e3", "1.5E+3", "12 34", "1,23.45", "1.2.3", "--5", "-(5)", "5 USD", "$5", "5%", "٥", "5..", "(5", "1,2345,678"],
)
def test_what_is_no_amount_is_a_bad_row_and_no_guess(text: str) -> None:
    found = read([{"amount": text}, {"amount": "5.25"}])
    assert [p.line for p in found.bad] == [2]
    assert [i.number for i in found.invoices] == ["N1"]


def test_three_digits_decide_nothing_and_another_row_does() -> None:
    assert "line 2 (amount '1.000')" in refusal(["1.000", "12.500", "950"])
    assert amounts(["1.000", "12.500", "950,5"]) == [1000, 12500, 950.5]
    assert amounts(["1,000", "12,500", "950.5"]) == [1000, 12500, 950.5]
    assert amounts(["1,234", "12,345,678"], currency="JPY") == [1234, 12345678]
    assert amounts(["1,234"], currency="JPY") == [1234], "yen have no fraction"
    assert "as 1.250 KWD" in refusal(["1.250"], currency="KWD")


def test_one_way_of_writing_in_half_of_the_file_and_another_in_the_rest_is_refused() -> None:
    assert "line 2 (amount '1,50') a decimal comma" in refusal(["1,50", "1.50"])
    assert "line 3 (amount '1.50')" in refusal(["1,50", "1.50"], decimal_separator=",")
    found = read([{"amount": "12,50"}, {"amount": "1,000"}])
    assert [p.reason for p in found.bad] == ["the amount '1,000' may be of thousands: EUR has no three places"]


def options_in(message: str) -> list[dict[str, Any]]:
    """Every way that a message suggests, as terms."""
    ways = []
    for part in message.replace(", --", "; --").split("; "):
        words = part.replace("'", "").split()
        terms: dict[str, Any] = {}
        for option, name in (
            ("--decimal-separator", "decimal_separator"),
            ("--date-format", "date_format"),
            ("--decimal-places", "decimal_places"),
        ):
            if option in words and words[words.index(option) + 2 : words.index(option) + 3] != ["does"]:
                value = part[part.index(option) + len(option) :].strip()
                value = value[1 : value.index("'", 1)] if value.startswith("'") else value.split()[0]
                terms[name] = int(value) if name == "decimal_places" else value
        if "reads" in words and terms:
            ways.append(terms)
    return ways


@pytest.mark.parametrize(
    ("currency", "texts", "told"),
    [
        ("EUR", ["1.000"], None),
        ("EUR", ["1,000", "12,500"], None),
        ("EUR", ["1,000", "12,500"], ","),
        ("EUR", ["1.000"], "."),
        ("KWD", ["1.250"], None),
        ("JPY", ["1,000"], ","),
        ("EUR", ["1,50"], "."),
    ],
)
def test_every_decimal_separator_that_a_message_suggests_is_accepted(
    currency: str, texts: list[str], told: str | None
) -> None:
    ways = options_in(refusal(texts, currency=currency, decimal_separator=told))
    assert ways
    for way in ways:
        assert amounts(texts, currency=currency, **way)


@pytest.mark.parametrize("format_", CANDIDATES, ids=str)
@pytest.mark.parametrize(
    "time", ["", " 00:00", " 23:30:00", "T22:30:00Z", " 00:00:00.000", "T22:30:00.123456789+02:00", " 10:15 PM"]
)
def test_every_date_format_that_a_message_can_suggest_is_accepted_and_read(format_: DateFormat, time: str) -> None:
    given_ = DateFormat.given(str(format_))
    day = dt.date(2024, 5, 14)
    text = day.strftime(format_.pattern) + time
    assert given_.parse(text) == day
    found = read([{"issued": text}], date_format=str(format_))
    assert [i.issued for i in found.invoices] == [day]


@given(
    st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2024, 12, 1)), min_size=1, max_size=5), st.sampled_from(CANDIDATES)
)
@example([dt.date(2000, 10, 1)], DateFormat("%d%b%Y"))
def test_days_in_any_format_are_read_exactly_or_asked_about(days: list[dt.date], format_: DateFormat) -> None:
    rows = [{"issued": day.strftime(format_.pattern)} for day in days]
    found = read_or_asked(rows)
    if isinstance(found, str):
        assert "More than one date format fits every row" in found
        suggested = options_in(found.partition("say which: ")[2])
        assert len(suggested) > 1
        assert all(read(rows, **way).bad == () for way in suggested)
        return
    assert [i.issued for i in found.invoices] == days


def test_a_date_format_may_name_a_time() -> None:
    for told in ("DD/MM/YYYY HH:mm:ss", "%d/%m/%Y %H:%M:%S", "%d/%m/%YT%H:%M:%S%z", "dd/MM/yyyy"):
        assert read([{"issued": "05/04/2024 10:15:00"}], date_format=told).invoices[0].issued == dt.date(2024, 4, 5)


@pytest.mark.parametrize(
    "text", ["NULL", "null", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "-", "N/A", "\\N", "--", "None"]
)
def test_what_says_that_there_is_nothing_is_nothing(text: str) -> None:
    (invoice,) = read([{"due": text, "settled": text}]).invoices
    assert (invoice.due, invoice.settled, invoice.paid) == (None, None, 0)


@pytest.mark.parametrize(
    ("written_", "id_"),
    [
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ("\u00a0 C1\u00a0", "C1"),
        ("C1\u200b", "C1"),
        ("\ufeffC1", "C1"),
        ("00123", "00123"),
        ("12E3", "12E3"),
        ("O'Brien", "O'Brien"),
    ],
)
def test_ids_are_without_what_spreadsheets_put_around_them(written_: str, id_: str) -> None:
    (invoice,) = read([{"customer": written_, "number": written_}]).invoices
    assert (invoice.customer, invoice.number) == (id_, id_)


@pytest.mark.parametrize("id_", ["1.23457E+11", "1,23E+05", "1E+11", "1e11", "-1.5e3", "a\x00b", "x" * 201])
def test_ids_whose_digits_are_lost_or_that_are_no_text_are_refused(id_: str) -> None:
    for field in ("customer", "number"):
        assert [p.line for p in read([{field: id_}]).bad] == [2]


def reasons(*rows: dict[str, str], **terms: Any) -> list[str]:
    return [problem.reason for problem in read(rows, **terms).bad]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"due": "2024-05-13"}, "it was due on 2024-05-13, before it was issued on 2024-05-14"),
        ({"settled": "2024-05-13"}, "it was settled on 2024-05-13, before it was issued on 2024-05-14"),
        ({"amount": "0"}, "the amount is zero"),
        (
            {"amount": "100", "amount paid": "40", "outstanding": "50"},
            "40.00 EUR paid and 50.00 EUR outstanding are not 100.00 EUR",
        ),
        (
            {"amount": "100", "status": "Paid", "outstanding": "50"},
            "its status is paid, and 50.00 EUR of 100.00 EUR is paid",
        ),
        (
            {"amount": "100", "status": "Open", "settled": "2024-06-01"},
            "its status is open, and it was settled on 2024-06-01",
        ),
        ({"amount": "100", "status": "Partially paid"}, "it is partly paid, and no column says how much"),
        (
            {"amount": "100", "amount paid": "0", "settled": "2024-06-01"},
            "it was settled on 2024-06-01, and nothing is paid",
        ),
        ({"amount": "-40", "settled": "2024-06-01"}, "a credit that was used or paid out"),
        (
            {"amount": "121", "net amount": "100", "tax": "20"},
            "100.00 EUR without tax and 20.00 EUR of tax are not 121.00 EUR",
        ),
        ({"amount": "120", "net amount": "100", "tax": "20"}, "no configured tax comes to 20.00 EUR in 120.00 EUR"),
        ({"currency": "JPY"}, "the row is in JPY, not in EUR"),
    ],
)
def test_what_a_row_says_must_be_able_to_be_true(row: dict[str, str], said: str) -> None:
    (reason,) = reasons(row)
    assert said in reason


@pytest.mark.parametrize("empty", ["-", " - ", "nil", "N/A", ""])
@pytest.mark.parametrize("column", ["outstanding", "balance due", "status"])
def test_a_row_that_is_silent_on_what_is_open_where_the_file_says_it_is_no_open_invoice(
    column: str, empty: str
) -> None:
    """Spreadsheets show zero as a dash: every paid invoice would be collected."""
    (reason,) = reasons({"amount": "100.00", column: empty})
    assert "nothing says what is open of it" in reason


@pytest.mark.parametrize(
    ("outstanding", "said"),
    [("33.3333", "is finer than EUR is paid"), ("-9000000000000.00", "do not fit")],
)
def test_what_is_paid_by_reckoning_is_held_to_what_can_be_paid(outstanding: str, said: str) -> None:
    found = reasons({"amount": "9000000000000.00", "outstanding": outstanding}, decimal_separator=".", decimal_places=4)
    assert any(said in reason for reason in found), found


def test_columns_of_currency_status_type_payment_and_tax_are_used() -> None:
    (a, b, c, d) = read(
        [
            {"amount": "100", "amount paid": "40", "currency": "EUR", "status": "open", "type": "Invoice"},
            {
                "amount": "100",
                "amount paid": "",
                "currency": "KWD",
                "status": "paid",
                "type": "Invoice",
                "customer": "K",
            },
            {"amount": "40", "amount paid": "", "currency": "EUR", "status": "", "type": "Credit note"},
            {"amount": "100", "amount paid": "120", "currency": "EUR", "status": "", "type": "INV"},
            {"amount": "100", "amount paid": "", "currency": "EUR", "status": "Draft", "type": "INV"},
        ],
        currency=None,
    ).invoices
    assert (a.paid, b.paid, d.paid) == (40 * MILLIONTHS, 100 * MILLIONTHS, 120 * MILLIONTHS)
    assert (b.currency, c.credit, c.amount) == ("KWD", True, 40 * MILLIONTHS)
    (taxed,) = read([{"amount": "", "net": "82.64", "vat": "17.35", "customer": "T"}]).invoices
    assert (taxed.amount, taxed.tax) == (99_990_000, "vat")


def test_words_that_nobody_knows_are_asked_for() -> None:
    with pytest.raises(FileRefused, match="What does the status mean in line 2 \\(status 'In Bearbeitung'\\)"):
        read([{"status": "In Bearbeitung"}])
    found = read(
        [{"status": "In Bearbeitung"}, {"status": "Storno"}],
        statuses={"In Bearbeitung": Meaning.OPEN, "storno": Meaning.OUT},
    )
    assert [i.number for i in found.invoices] == ["N0"]
    assert found.out == {"Storno": 1}


def test_one_word_has_one_meaning() -> None:
    for words in _KNOWN.values():
        every = [word for some in words.values() for word in some.split(", ")]
        assert len(every) == len(set(every))
    names = [name for some in SYNONYMS.values() for name in some.split()]
    assert len(names) == len(set(names))


def test_a_number_twice_is_refused_in_every_row_or_added_up() -> None:
    lines = [{"number": "R", "amount": "60"}, {"number": "R", "amount": "45"}, {"number": "R", "amount": "-5"}, {}]
    found = read(lines)
    assert [p.line for p in found.bad] == [2, 3, 4]
    assert [i.number for i in found.invoices] == ["N3"]
    added = read(lines, add_up=True)
    assert [(i.number, i.amount) for i in added.invoices] == [("R", 100 * MILLIONTHS), ("N3", 5 * MILLIONTHS)]
    for other in ({"customer": "D"}, {"issued": "2024-05-15"}, {"due": "2024-06-01"}, {"settled": "2024-06-01"}):
        assert [p.line for p in read([lines[0], {**lines[1], **other}], add_up=True).bad] == [2, 3]
    assert [p.line for p in read([lines[0], {**lines[1], "issued": "soon"}], add_up=True).bad] == [2, 3]


def test_a_customer_in_two_currencies_and_credits_with_two_signs_are_refused_in_every_row() -> None:
    assert len(reasons({"currency": "EUR"}, {"currency": "KWD"}, currency=None)) == 2
    credits = [{"type": "credit", "amount": "5"}, {"type": "credit", "amount": "-5"}, {"type": "invoice"}]
    assert [p.line for p in read(credits).bad] == [2, 3]


SIGNS = ["-{}", "+{}", "{}-", "{}+", "({})", "{} CR", "CR {}", "{} DR", "−{}"]


@pytest.mark.parametrize("outer", SIGNS)
@pytest.mark.parametrize("inner", SIGNS)
def test_an_amount_of_two_signs_is_none(outer: str, inner: str) -> None:
    (bad,) = read([{"amount": outer.format(inner.format("500.00"))}]).bad
    assert "is not an amount" in bad.reason
