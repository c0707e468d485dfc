"""The form of a cron expression: five fields, and what is wrong with each."""

import pytest
from cronsim import CronSim
from hypothesis import example, given
from hypothesis import strategies as st

from ocs_core.entities.configuration import CollectionSetting
from ocs_core.errors import RequestRejected
from ocs_core.testkit.fakes import NOW


def _refusal(cron: str) -> str:
    with pytest.raises(RequestRejected) as refused:
        CollectionSetting(cron=cron)
    (violation,) = refused.value.violations
    assert (violation.code, violation.field) == ("VALUE_NOT_ALLOWED", "/cron")
    return violation.message


@pytest.mark.parametrize(
    "cron",
    [
        "30 2 * * *",
        "*/15 8-18 * * 1-5",
        "0 0 29 2 *",
        "0,30 6,18 1,15 */3 *",
        "5/10 * 1-31/2 * 7",
        "0 0 30 2 1",
        "0 0 L * *",
        "0 0 15,L 2 *",
    ],
)
def test_a_right_expression_is_taken(cron: str) -> None:
    assert CollectionSetting(cron=cron).cron == cron


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        (" ", "Give the five fields of cron (minute, hour, day of the month, month, day of the week)"),
        ("30 2 * *", "Give the five fields of cron"),
        ("0 30 2 * * *", "Give the five fields of cron"),
        ("@daily", "Give the five fields of cron"),
        ("60 2 * * *", "'60' cannot be the minute of cron: give *, 0 to 59"),
        ("30 24 * * *", "'24' cannot be the hour of cron"),
        ("30 2 0 * *", "'0' cannot be the day of the month of cron"),
        ("30 2 * 13 *", "'13' cannot be the month of cron"),
        ("30 2 * * 8", "'8' cannot be the day of the week of cron"),
        ("30 2 * * MON", "'MON' cannot be the day of the week of cron"),
        ("30 6-2 * * *", "'6-2' cannot be the hour of cron"),
        ("*/0 2 * * *", "'*/0' cannot be the minute of cron"),
        ("0,,1 2 * * *", "'' cannot be the minute of cron"),
        ("³ 2 * * *", "'³' cannot be the minute of cron"),
        (
            "0 0 LW * *",
            "'LW' cannot be the day of the month of cron: give *, 1 to 31, a range such as 1-31, or a step such as */2, or L",
        ),
        ("0 0 L-2 * *", "'L-2' cannot be the day of the month of cron"),
        ("0 L * * *", "'L' cannot be the hour of cron: give *, 0 to 23, a range such as 0-23, or a step such as */2."),
        ("0 0 30 2 *", "No such month has a day 30: this would never be due."),
        ("0 0 31 4-6/2,11 */3", "No such month has a day 31"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_field_that_is_wrong(cron: str, said: str) -> None:
    assert said in _refusal(cron)


def _terms(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least - 1, most + 1)
    plain = st.just("*") | number.map(str) | st.builds("{}-{}".format, number, number)
    term = plain | st.builds("{}/{}".format, plain, st.integers(0, 70))
    return st.lists(term, min_size=1, max_size=3).map(",".join)


FIELDS = [_terms(*limits) for limits in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))]


@given(st.tuples(*FIELDS).map(" ".join))
@example("0 0 31 2,4,6,9,11 *")
@example("0 0 31 2,3 */2")
@example("0 0 31 11 0-7/2")
def test_what_is_taken_is_what_comes_due_one_day(cron: str) -> None:
    try:
        CollectionSetting(cron=cron)
    except RequestRejected:
        taken = False
    else:
        taken = True
    try:
        comes = next(CronSim(cron, NOW.replace(tzinfo=None)), None) is not None
    except Exception:
        comes = False
    assert taken == comes


@pytest.mark.parametrize(
    ("cron", "code"),
    [("", "LENGTH_OUT_OF_RANGE"), ("0 " * 200, "LENGTH_OUT_OF_RANGE"), ("0 0\n* * *", "TEXT_NOT_ALLOWED")],
)
def test_an_expression_is_a_line_of_text(cron: str, code: str) -> None:
    with pytest.raises(RequestRejected) as refused:
        CollectionSetting(cron=cron)
    assert [violation.code for violation in refused.value.violations] == [code]
