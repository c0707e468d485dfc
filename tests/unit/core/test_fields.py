"""Fields as they are read from type hints: nothing of a hint is lost, and what no field can have is refused."""

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import attrs
import pytest

from ocs_adapters.sql.rows import TABLES
from ocs_core.entities.account import AccountName, Payer
from ocs_core.entities.configuration import KINDS
from ocs_core.entities.payment import PaymentType
from ocs_core.entities.process import ProcessRun
from ocs_core.form import (
    UNSET,
    CustomAttributes,
    Field,
    InstantOrDay,
    Items,
    Label,
    Moment,
    Text,
    Texts,
    Unset,
    field_named,
    fields,
    property_field,
)
from ocs_core.messages import PAYLOADS
from ocs_http.operations import OPERATIONS


def classes() -> list[type]:
    """Every class of a request, a message, an entry of the configuration or a row, with those within it."""
    found: dict[type, None] = {}
    waiting = [operation.request for operation in OPERATIONS] + [*PAYLOADS.values(), *KINDS.values(), *TABLES]
    while waiting:
        cls = waiting.pop()
        if cls not in found and cls.__name__ != "Configuration":
            found[cls] = None
            waiting += [base for described in fields(cls) for base in bases(described) if attrs.has(base)]
    return sorted(found, key=lambda cls: cls.__qualname__)


def bases(described: Field) -> Iterator[type]:
    yield described.base
    if described.item:
        yield from bases(described.item)


def written(described: Field) -> Any:
    """The hint that a field is described by."""
    hint: Any = described.base
    if described.base is InstantOrDay:
        hint = dt.datetime | dt.date
    elif described.base is Mapping and described.item:
        hint = Mapping[str, written(described.item)]  # type: ignore[misc]
    elif described.item:
        hint = tuple[written(described.item), ...]  # type: ignore[misc]
    for constraint in described.constraints:
        hint = Annotated[hint, constraint]
    blanks: list[Any] = [types.NoneType] * described.optional + [Unset] * described.unset
    return functools.reduce(lambda some, blank: some | blank, blanks, hint)


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__qualname__)
def test_a_class_on_the_wire_is_described_with_all_that_its_hints_say(cls: Any) -> None:
    hints = typing.get_type_hints(cls, include_extras=True)
    assert [(f.name, written(f), f.default) for f in fields(cls)] == [
        (attribute.name, hints[attribute.name], attribute.default) for attribute in attrs.fields(cls)
    ]


@attrs.frozen(kw_only=True)
class Some:
    ref_id: int
    label: Label | Unset | None = UNSET
    at: Moment | None = None
    kind: PaymentType = PaymentType.IN
    names: Annotated[tuple[AccountName, ...], Items(0, 3)] | None = None
    attributes: CustomAttributes | None = None


def test_a_field_says_its_type_its_constraints_and_whether_it_may_be_left_out() -> None:
    assert fields(Some) == (
        Field("ref_id", "refId", int),
        Field("label", "label", str, optional=True, unset=True, constraints=(Text(255),)),
        Field("at", "at", InstantOrDay, optional=True),
        Field("kind", "kind", PaymentType),
        Field("names", "names", tuple, True, False, (Items(0, 3),), Field("names", "names", AccountName)),
        Field("attributes", "attributes", Mapping, True, False, (Texts(50),), Field("attributes", "attributes", str)),
    )
    assert field_named(Some, "kind").default is PaymentType.IN
    assert field_named(Some, "ref_id").default is attrs.NOTHING


def test_a_property_is_described_like_a_field() -> None:
    assert property_field(Payer, "ref_id") == Field("ref_id", "refId", UUID)
    assert property_field(ProcessRun, "seconds_left") == Field("seconds_left", "secondsLeft", int, optional=True)


def test_a_named_tuple_is_described_like_a_class() -> None:
    class Row(NamedTuple):
        ref_id: int
        note: str | None = None

    assert fields(Row) == (Field("ref_id", "refId", int), Field("note", "note", str, optional=True))
    assert [described.default for described in fields(Row)] == [attrs.NOTHING, None]


@pytest.mark.parametrize(
    "hint",
    [
        int | str,
        tuple[int, str],
        tuple,
        list[int],
        dict[str, int],
        Mapping[int, str],
        Callable[[], int],
        "int | str | None",
    ],
    ids=str,
)
def test_a_type_that_no_field_can_have_is_refused_with_the_class_and_the_field(hint: Any) -> None:
    cls = attrs.make_class("Odd", {"good": attrs.field(type=int), "bad": attrs.field(type=hint)})
    cls.__annotations__ = {"good": int, "bad": hint}
    with pytest.raises(TypeError, match=r"^Odd\.bad is of type .+, which no field can have\.$"):
        fields(cls)
