"""Instants as RFC 3339 writes them, in whatever language they were written."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.serial import decode_request
from ocs_adapters.serial.instants import read_day, read_instant
from ocs_core.form import TIME_WITHOUT_OFFSET, TYPE_WRONG, VALUE_OUT_OF_RANGE, FormError
from ocs_core.usecases.read_open_balance import ReadOpenBalanceRequest

INSTANTS = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2998, 12, 31))  # noqa: DTZ001 - the offset is another part
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(INSTANTS, OFFSETS, st.text("0123456789", max_size=40), st.sampled_from("Tt"))
def test_every_instant_of_rfc_3339_is_read_to_the_microsecond(
    moment: dt.datetime, minutes: int, more: str, separator: str
) -> None:
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    expected = moment.replace(tzinfo=zone)
    day, time = f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S.%f}"
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
    assert read_instant(f"{day}{separator}{time}{more}{offset}") == expected


@pytest.mark.parametrize(
    ("written", "microsecond"),
    [
        ("2024-05-14T07:15:00Z", 0),
        ("2024-05-14t07:15:00z", 0),
        ("2024-05-14T07:15:00.5Z", 500_000),
        ("2024-05-14T07:15:00.1234567Z", 123_456),  # .NET
        ("2024-05-14T07:15:00.999999999Z", 999_999),  # Java
        ("2024-05-14T07:15:00.123456-00:00", 123_456),
    ],
)
def test_what_other_languages_write_is_cut_off_behind_the_microsecond(written: str, microsecond: int) -> None:
    assert read_instant(written) == dt.datetime(2024, 5, 14, 7, 15, 0, microsecond, dt.UTC)


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("2024-05-14T07:15Z", TYPE_WRONG, "the seconds are missing"),
        ("2024-05-14T07:15+02:00", TYPE_WRONG, "the seconds are missing"),
        ("2024-05-14", TYPE_WRONG, "the time of day is missing"),
        ("2024-05-14 07:15:00Z", TYPE_WRONG, "write T"),
        ("2024-05-14T07:15:00,5Z", TYPE_WRONG, "write a point"),
        ("2024-05-14T07:15:00.Z", TYPE_WRONG, "digits are missing"),
        ("2024-05-14T07:15:00 02:00", TYPE_WRONG, "%2B"),
        ("2024-05-14T07:15:00+02", TYPE_WRONG, "write the offset as +02:00"),
        ("2024-05-14T07:15:00+0200", TYPE_WRONG, "write the offset as +02:00"),
        ("2024-05-14T07:15:00+24:00", TYPE_WRONG, "no offset +24:00"),
        ("2024-05-14T24:00:00Z", TYPE_WRONG, "there is no 2024-05-14 24:00:00"),
        ("2024-02-30T00:00:00Z", TYPE_WRONG, "there is no 2024-02-30"),
        ("2016-12-31T23:59:60Z", VALUE_OUT_OF_RANGE, "Leap seconds"),
        ("2024-05-14T07:15:00", TIME_WITHOUT_OFFSET, "with its offset"),
        ("2024-05-14T07:15:00.123456789", TIME_WITHOUT_OFFSET, "with its offset"),
        ("1715670900", TYPE_WRONG, "a number of seconds is not taken"),
        ("٢٠٢٤-05-14T07:15:00Z", TYPE_WRONG, "not the text"),
        ("", TYPE_WRONG, "not the text"),
    ],
)
def test_what_is_not_rfc_3339_is_told_what_is_wrong(written: str, code: str, said: str) -> None:
    with pytest.raises(FormError) as refused:
        read_instant(written)
    assert (refused.value.code, said in refused.value.message) == (code, True), refused.value.message


@given(st.text(max_size=60))
def test_any_other_text_is_refused_and_breaks_nothing(text: str) -> None:
    for read in (read_instant, read_day):
        with pytest.raises(FormError, match="Give a"):
            read(text)


@pytest.mark.parametrize("given", ["2024-05-14", "2024-05-14T07:15:00.123456789z"])
def test_where_a_day_will_do_both_are_taken(given: str) -> None:
    asked: Any = {"externalId": "A-1", "asOf": given}
    assert decode_request(ReadOpenBalanceRequest, asked).as_of is not None
