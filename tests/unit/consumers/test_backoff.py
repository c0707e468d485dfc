"""When what failed is tried again."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.consumers.notifications import backoff
from ocs_core.testkit.fakes import NOW

failures = st.integers(1, 100)
chances = st.floats(0, 1, exclude_max=True)
asked = st.none() | st.floats(0, 1e12)


@given(failures, chances, asked)
def test_a_wait_is_never_shorter_than_planned_or_asked_for_and_never_longer_than_a_bound(
    failed: int, chance: float, retry_after: float | None
) -> None:
    seconds = backoff.wait(failed, chance, retry_after)
    planned = backoff.WAITS[min(failed, len(backoff.WAITS)) - 1]
    assert seconds >= max(planned, min(retry_after or 0, backoff.RETRY_AFTER_AT_MOST))
    assert seconds <= max(planned * (1 + backoff.SPREAD), min(retry_after or 0, backoff.RETRY_AFTER_AT_MOST))


@given(chances, chances)
def test_every_wait_is_longer_than_the_one_before(chance: float, another: float) -> None:
    waits = [backoff.wait(failed, chance) for failed in range(1, backoff.ATTEMPTS)]
    assert all(backoff.wait(failed + 1, another) > seconds for failed, seconds in enumerate(waits[:-1], 1))


@given(failures, chances, asked)
def test_a_recipient_is_never_left_alone_for_long_unless_it_asks_for_it(
    failed: int, chance: float, retry_after: float | None
) -> None:
    seconds = backoff.leave_alone(failed, chance, retry_after)
    assert seconds <= max(backoff.LEFT_ALONE_AT_MOST, min(retry_after or 0, backoff.RETRY_AFTER_AT_MOST))
    assert seconds >= min(retry_after or 0, backoff.RETRY_AFTER_AT_MOST)


@given(st.text())
def test_whatever_a_recipient_answers_the_wait_is_a_number(header: str) -> None:
    asked_for = backoff.retry_after(header, NOW)
    assert asked_for is None or asked_for >= 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 14 May 2024 10:02:00 GMT", 120),
        ("Tue, 14 May 2024 09:00:00 GMT", 0),
        ("9" * 400, float("inf")),
        ("-1", None),
        ("soon", None),
        ("Tue, 14 May 2024 10:02:00 +9999999999999999", None),
        ("١٢", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_an_instant(header: str | None, seconds: float | None) -> None:
    assert dt.datetime(2024, 5, 14, 10, tzinfo=dt.UTC) == NOW
    assert backoff.retry_after(header, NOW) == seconds
