"""From JSON values to requests: each value is checked once, and whatever is wrong is told as in Python."""

import datetime as dt
from collections import Counter
from typing import Annotated, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocs_adapters.serial import decode_request
from ocs_core.errors import RequestRejected
from ocs_core.form import UNSET, CustomAttributes, Form, Items, Label, PositiveAmount, Unset


@attrs.frozen
class Noting:
    """A constraint that takes anything, and notes what it was asked of."""

    asked: list[Any] = attrs.field(factory=list, hash=False)

    def check(self, value: Any) -> None:
        self.asked.append(value)


NOTING = Noting()


@attrs.frozen(kw_only=True)
class Inner(Form):
    text: Annotated[str, NOTING]
    day: Annotated[dt.date, NOTING] | None = None


@attrs.frozen(kw_only=True)
class Outer(Form):
    text: Annotated[str, NOTING]
    number: Annotated[int, NOTING] | None = None
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()


def test_each_value_of_a_right_request_is_checked_once() -> None:
    NOTING.asked.clear()
    inner = {"text": "inner", "day": "2024-05-14"}
    decode_request(Outer, {"text": "outer", "number": 7, "inner": inner, "inners": [{"text": "a"}, {"text": "b"}]})
    assert Counter(NOTING.asked) == Counter(["outer", 7, "inner", dt.date(2024, 5, 14), "a", "b"])


@attrs.frozen(kw_only=True)
class Several(Form):
    label: Label
    amount: PositiveAmount | None = None
    flag: bool | Unset = UNSET
    attributes: CustomAttributes | None = None
    labels: Annotated[tuple[Label, ...], Items(0, 3)] = ()


_SCALARS = st.sampled_from([None, True, 0, -1, 7, 1.5, "", "x", "a\0b", "x" * 256])
_MAPS = st.dictionaries(st.sampled_from(["", "n", "a/b", " "]), _SCALARS, max_size=3)


@given(
    st.fixed_dictionaries(
        {"label": _SCALARS | _MAPS},
        optional={
            "amount": _SCALARS,
            "flag": _SCALARS | _MAPS,
            "attributes": _SCALARS | _MAPS,
            "labels": st.lists(_SCALARS, max_size=3),
        },
    )
)
def test_json_and_python_are_told_the_same_of_the_same_values(values: dict[str, Any]) -> None:
    as_tuples = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    assert _told(lambda: decode_request(Several, values)) == _told(lambda: Several(**as_tuples))


def _told(make: Any) -> Any:
    try:
        return make()
    except RequestRejected as rejected:
        return rejected.violations


def test_a_list_in_json_is_told_of_its_length_before_anything_is_read() -> None:
    told = _told(lambda: decode_request(Several, {"label": "x", "labels": [7] * 4}))
    assert [(v.code, v.field) for v in told] == [("LENGTH_OUT_OF_RANGE", "/labels")]


@attrs.frozen
class Breaking:
    """A constraint with a fault of its own."""

    def check(self, value: Any) -> None:
        raise ZeroDivisionError


@attrs.frozen(kw_only=True)
class Broken(Form):
    text: Annotated[str, Breaking()]


def test_an_error_that_is_no_failure_of_form_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        decode_request(Broken, {"text": "x"})
