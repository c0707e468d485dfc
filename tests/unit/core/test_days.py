"""Days and instants: due days, zones, clocks that change, ends of days and years."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_core.entities.account import AccountRef, Payer
from ocs_core.entities.configuration import (
    AccountType,
    Configuration,
    DocumentType,
    SystemSetting,
    Tax,
    TaxRateFrom,
    as_instant,
    day_of,
    end_of_day,
    first_instant,
    start_of_day,
)
from ocs_core.messages import format_instant
from ocs_core.testkit.examples import NOW, configuration
from ocs_core.testkit.strategies import days, instants, zones
from ocs_core.usecases.create_any_document import due_day

from .scene import NOTHING, Scene

MICROSECOND = dt.timedelta(microseconds=1)
MADRID = ZoneInfo("Europe/Madrid")


@given(days, zones)
def test_a_day_ends_where_the_next_one_begins(day: dt.date, zone: ZoneInfo) -> None:
    start, end = start_of_day(day, zone), end_of_day(day, zone)

    assert day_of(start, zone) == day_of(end, zone) == day
    assert day_of(start - MICROSECOND, zone) == day - dt.timedelta(days=1)
    assert day_of(end + MICROSECOND, zone) == day + dt.timedelta(days=1)
    assert (start.utcoffset(), end.utcoffset()) == (dt.timedelta(), dt.timedelta())


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", dt.date(2024, 3, 31), 23),
        ("Europe/Madrid", dt.date(2024, 10, 27), 25),
        ("America/St_Johns", dt.date(2006, 10, 28), 25),  # midnight came twice: clocks went back at one past
        ("Europe/Madrid", dt.date(2024, 5, 14), 24),
        ("America/Havana", dt.date(2024, 3, 10), 23),
        ("America/Havana", dt.date(2024, 11, 2), 24),  # midnight came twice: clocks went back at one o'clock
        ("America/Havana", dt.date(2024, 11, 3), 25),
        ("Australia/Lord_Howe", dt.date(2024, 4, 7), 24.5),
        ("Asia/Beirut", dt.date(2024, 3, 31), 23),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_shows(zone: str, day: dt.date, hours: float) -> None:
    length = end_of_day(day, ZoneInfo(zone)) + MICROSECOND - start_of_day(day, ZoneInfo(zone))

    assert length == dt.timedelta(hours=hours)


@given(instants, zones, instants)
def test_an_instant_is_taken_as_it_is(instant: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> None:
    taken = as_instant(instant.astimezone(zone), zone, now)

    assert (taken, taken.utcoffset()) == (instant, dt.timedelta())


@given(zones, instants.filter(lambda i: i.year < 2999))
def test_a_day_is_its_end_but_today_is_now(zone: ZoneInfo, now: dt.datetime) -> None:
    today = day_of(now, zone)

    assert as_instant(today, zone, now) == now
    assert as_instant(today - dt.timedelta(days=1), zone, now) == end_of_day(today - dt.timedelta(days=1), zone) < now
    assert as_instant(today + dt.timedelta(days=1), zone, now) == now


@given(days, zones)
def test_a_filter_by_day_begins_with_the_day(day: dt.date, zone: ZoneInfo) -> None:
    assert first_instant(day, zone) == start_of_day(day, zone)
    assert first_instant(NOW, zone) == NOW
    assert first_instant(None, zone) is None


@given(instants, zones)
def test_instants_are_written_in_utc_whatever_their_zone(instant: dt.datetime, zone: ZoneInfo) -> None:
    text = format_instant(instant.astimezone(zone))

    assert text.endswith("Z")
    assert len(text) == len("2024-05-02T07:15:00.000000Z")
    assert dt.datetime.fromisoformat(text) == instant


def payer(offset: int | None = None, **offsets: int) -> Payer:
    return Payer(account=AccountRef(NOTHING), due_date_offset=offset, due_date_offsets=offsets)


offsets = st.integers(0, 3650)


@given(days, st.none() | offsets, st.none() | offsets, offsets)
def test_the_most_special_offset_wins(day: dt.date, of_type: int | None, general: int | None, default: int) -> None:
    given_of_type = {} if of_type is None else {"genericInvoice": of_type}
    invoice = DocumentType(code="genericInvoice", due_date_offset=default)
    expected = next(offset for offset in (of_type, general, default) if offset is not None)

    due = due_day(day, payer(general, deposit=9, **given_of_type), invoice)

    assert (due - day).days == expected


def test_an_offset_of_zero_is_an_offset() -> None:
    invoice, day = DocumentType(code="genericInvoice"), dt.date(2024, 5, 14)

    assert due_day(day, payer(0), invoice) == day
    assert due_day(day, payer(7, genericInvoice=0), invoice) == day
    assert due_day(day, payer(), invoice) == dt.date(2024, 5, 28)


@pytest.mark.parametrize(
    ("issued", "due"),
    [
        (dt.date(2023, 12, 31), dt.date(2024, 1, 14)),
        (dt.date(2024, 2, 28), dt.date(2024, 3, 13)),
        (dt.date(2023, 2, 28), dt.date(2023, 3, 14)),
        (dt.date(2024, 3, 24), dt.date(2024, 4, 7)),
    ],
)
def test_due_days_cross_the_ends_of_months_and_years(scene: Scene, issued: dt.date, due: dt.date) -> None:
    assert scene.desk.document(account=scene.payer, document_issued_date=issued).document_due_date == due


def test_a_due_day_that_is_given_is_kept(scene: Scene) -> None:
    document = scene.desk.document(account=scene.payer, document_due_date=dt.date(2024, 6, 1))

    assert document.document_due_date == dt.date(2024, 6, 1)


def test_a_new_offset_leaves_documents_that_exist_alone(scene: Scene) -> None:
    scene.perform("UpdateDueDateOffset", scene.request("UpdateDueDateOffset", due_date_offset=30))

    assert scene.now_is(scene.document).document_due_date == dt.date(2024, 5, 28)
    assert scene.desk.document(account=scene.payer).document_due_date == dt.date(2024, 6, 13)


@pytest.mark.parametrize(
    ("type_zone", "system_zone", "today"),
    [
        ("Pacific/Kiritimati", "Pacific/Niue", dt.date(2025, 1, 1)),
        (None, "Pacific/Kiritimati", dt.date(2025, 1, 1)),
        ("Pacific/Niue", "Pacific/Kiritimati", dt.date(2024, 12, 31)),
        (None, None, dt.date(2024, 12, 31)),
    ],
)
def test_today_is_the_day_in_the_payers_zone(
    scene: Scene, type_zone: str | None, system_zone: str | None, today: dt.date
) -> None:
    more: list[object] = [AccountType(code="payer", zone=type_zone)]
    scene.store.configuration = configuration(*more, *([SystemSetting(zone=system_zone)] if system_zone else []))
    scene.clock.now = dt.datetime(2024, 12, 31, 12, tzinfo=dt.UTC)

    document = scene.desk.document(account=scene.payer)

    assert (document.document_issued_date, document.document_tax_date) == (today, today)


def test_a_type_that_is_gone_leaves_the_systems_zone() -> None:
    assert Configuration.of(SystemSetting(zone="Europe/Madrid")).zone_of("gone") == MADRID
    assert Configuration().zone_of("gone") == ZoneInfo("UTC")


def test_a_tax_has_the_rate_that_began_last() -> None:
    def rate(valid_from: dt.date, rate: int) -> TaxRateFrom:
        return TaxRateFrom(valid_from=valid_from, rate=rate)

    tax = Tax(code="vat", rates=(rate(dt.date(2020, 1, 1), 2100), rate(dt.date(2010, 7, 1), 1800)))

    assert [tax.rate_on(d) for d in (dt.date(2010, 6, 30), dt.date(2010, 7, 1), dt.date(2019, 12, 31))] == [
        None,
        1800,
        1800,
    ]
    assert [tax.rate_on(d) for d in (dt.date(2020, 1, 1), dt.date(2999, 1, 1))] == [2100, 2100]


def test_the_tax_is_that_of_the_tax_date(scene: Scene) -> None:
    tax = Tax(
        code="vat21",
        rates=(
            TaxRateFrom(valid_from=dt.date(2000, 1, 1), rate=1000),
            TaxRateFrom(valid_from=dt.date(2024, 1, 1), rate=2000),
        ),
    )
    scene.store.configuration = configuration(tax)
    fields = {"account": scene.payer, "amount": 10_000_000, "tax_included": False, "tax": "vat21"}

    assert scene.desk.document(**fields).total_amount_tax == 2_000_000
    assert scene.desk.document(**fields, document_issued_date=dt.date(2023, 12, 31)).total_amount_tax == 1_000_000
    assert scene.desk.document(**fields, document_tax_date=dt.date(2023, 12, 31)).total_amount_tax == 1_000_000
