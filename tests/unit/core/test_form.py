"""The form of requests: types, lengths, ranges, text; every failure told at its field."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given

from ocs_core import form
from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import AccountType, SystemSetting
from ocs_core.entities.payment import PaymentType
from ocs_core.errors import InvalidValue, OcsError, RequestRejected, Violation
from ocs_core.form import (
    LENGTH_OUT_OF_RANGE,
    TEXT_NOT_ALLOWED,
    TIME_WITHOUT_OFFSET,
    TYPE_WRONG,
    UNSET,
    VALUE_NOT_ALLOWED,
    VALUE_OUT_OF_RANGE,
    Code,
    DueDateOffset,
    ExternalId,
    Form,
    Items,
    Label,
    Moment,
    Note,
    PositiveAmount,
    Unset,
    Zone,
)
from ocs_core.money import MAX_AMOUNT
from ocs_core.testkit.examples import NOW
from ocs_core.testkit.strategies import ZONES, forbidden_texts, texts
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEventsRequest
from ocs_core.usecases.register_payment import RegisterPaymentRequest

from .scene import Scene


@attrs.frozen(kw_only=True)
class Everything(Form):
    label: Label | None = None
    external_id: ExternalId | None = None
    code: Code | None = None
    note: Note | None = None
    amount: PositiveAmount | None = None
    offset: DueDateOffset | None = None
    zone: Zone | None = None
    flag: bool = True
    payment_type: PaymentType | None = None
    ref_id: UUID | None = None
    day: dt.date | None = None
    instant: dt.datetime | None = None
    moment: Moment | None = None
    account: AccountName | None = None
    accounts: tuple[AccountName, ...] = ()
    labels: Annotated[tuple[Label, ...], Items(0, 3)] = ()


def refused(**fields: Any) -> tuple[Violation, ...]:
    with pytest.raises(RequestRejected) as refusal:
        Everything(**fields)
    assert all(violation.message for violation in refusal.value.violations)
    return refusal.value.violations


def failures(**fields: Any) -> list[tuple[str, str]]:
    return [(v.code, v.field) for v in refused(**fields)]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("label", 7),
        ("label", b"text"),
        ("label", PaymentType.IN),
        ("flag", 1),
        ("flag", None),
        ("amount", True),
        ("amount", 1.0),
        ("amount", "1"),
        ("payment_type", "IN"),
        ("ref_id", "018f3a5c-7b1e-7cc0-8000-0123456789ab"),
        ("day", NOW),
        ("instant", NOW.date()),
        ("moment", "2024-05-14"),
        ("account", {"refId": None}),
        ("accounts", [AccountName()]),
        ("labels", "abc"),
        pytest.param("label", 10**5000, id="label-huge"),
        ("label", -(10**50)),
        ("label", float("nan")),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, wrong: Any) -> None:
    assert failures(**{name: wrong}) == [(TYPE_WRONG, f"/{form.wire_name(name)}")]


@pytest.mark.parametrize(("name", "longest"), [("label", 255), ("external_id", 255), ("code", 60), ("note", 2000)])
def test_text_is_of_1_to_so_many_characters(name: str, longest: int) -> None:
    field = f"/{form.wire_name(name)}"

    assert getattr(Everything(**{name: "é" * longest}), name) == "é" * longest
    assert getattr(Everything(**{name: "x"}), name) == "x"
    assert failures(**{name: "x" * (longest + 1)}) == [(LENGTH_OUT_OF_RANGE, field)]
    assert failures(**{name: ""}) == [(LENGTH_OUT_OF_RANGE, field)]


def test_a_character_is_a_code_point_not_a_byte() -> None:
    assert Everything(label="👩" * 255).label == "👩" * 255


@given(texts)
def test_text_that_hurts_is_kept_as_it_is(text: str) -> None:
    assert Everything(label=text).label == text


@given(forbidden_texts)
def test_control_characters_and_lone_surrogates_are_refused(text: str) -> None:
    assert failures(label=text, note=text) == [(TEXT_NOT_ALLOWED, "/label"), (TEXT_NOT_ALLOWED, "/note")]


@pytest.mark.parametrize("text", [" a", "a ", "\u00a0a", "a\u3000", " "])
@pytest.mark.parametrize("name", ["external_id", "code"])
def test_an_id_has_no_outer_blanks(name: str, text: str) -> None:
    assert failures(**{name: text}) == [(TEXT_NOT_ALLOWED, f"/{form.wire_name(name)}")]
    assert Everything(label=text).label == text


UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u180b\u200b\u200c\u200d\u200e\u202e"
    "\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0\U000e0020\U000e0100\ue000"
)


@pytest.mark.parametrize("character", UNSEEN, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize("name", ["external_id", "code"])
def test_an_id_has_nothing_in_it_that_nobody_sees_and_a_name_may(name: str, character: str) -> None:
    """Two ids that look alike are one mistake; the joiners of Persian and Indic scripts belong to names."""
    for text in (f"A{character}1", f"A1{character}", f"{character}A1"):
        (told,) = refused(**{name: text})
        assert (told.code, told.field) == (TEXT_NOT_ALLOWED, f"/{form.wire_name(name)}")
        assert f"U+{ord(character):04X}" in told.message
        assert Everything(label=text, note=text).label == text


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "❤\ufe0f", "\u200fשלום"])
def test_names_and_notes_are_written_as_their_scripts_need(text: str) -> None:
    assert Everything(label=text, note=text).note == text


@pytest.mark.parametrize("separator", ["\u2028", "\u2029"])
@pytest.mark.parametrize("name", ["external_id", "code", "label", "note"])
def test_no_text_is_two_lines(name: str, separator: str) -> None:
    (told,) = refused(**{name: f"A{separator}1"})
    assert (told.code, f"U+{ord(separator):04X}" in told.message) == (TEXT_NOT_ALLOWED, True)


@pytest.mark.parametrize("text", ["Ω-7", "Straße 9", "客户-7", "حساب-7", "खाता-7", "A 1"])
def test_an_id_may_be_in_any_script(text: str) -> None:
    assert Everything(external_id=text, code=text).code == text


@pytest.mark.parametrize(("name", "least", "most"), [("amount", 1, MAX_AMOUNT), ("offset", 0, 3650)])
def test_a_number_lies_in_its_range(name: str, least: int, most: int) -> None:
    assert [getattr(Everything(**{name: n}), name) for n in (least, most)] == [least, most]
    for wrong in (least - 1, most + 1, 10**5000):
        assert failures(**{name: wrong}) == [(VALUE_OUT_OF_RANGE, f"/{name}")]


def test_a_list_has_so_many_items() -> None:
    assert Everything(labels=("a", "b", "c")).labels == ("a", "b", "c")
    assert failures(labels=("a", "b", "c", "d")) == [(LENGTH_OUT_OF_RANGE, "/labels")]


def test_the_feed_takes_1_to_1000_events(scene: Scene) -> None:
    event = scene.fed()

    assert len(FeedChargeableEventsRequest(request_id="1", events=(event,) * 1000).events) == 1000
    for events in ((), (event,) * 1001):
        with pytest.raises(RequestRejected, match="LENGTH_OUT_OF_RANGE at /events"):
            FeedChargeableEventsRequest(request_id="1", events=events)


@pytest.mark.parametrize("name", ["instant", "moment"])
def test_an_instant_carries_its_offset(name: str) -> None:
    assert failures(**{name: NOW.replace(tzinfo=None)}) == [(TIME_WITHOUT_OFFSET, f"/{name}")]
    assert getattr(Everything(**{name: NOW}), name) == NOW


@pytest.mark.parametrize("year", [1899, 3000])
def test_moments_lie_in_the_years_1900_to_2999(year: int) -> None:
    instant = dt.datetime(year, 6, 1, tzinfo=dt.UTC)

    assert failures(day=instant.date(), instant=instant, moment=instant.date()) == [
        (VALUE_OUT_OF_RANGE, "/day"),
        (VALUE_OUT_OF_RANGE, "/instant"),
        (VALUE_OUT_OF_RANGE, "/moment"),
    ]
    for right in (dt.date(1900, 1, 1), dt.date(2999, 12, 31)):
        assert Everything(day=right, moment=right).day == right


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "\0", "x" * 5000, "\ud800"], ids=lambda t: ascii(t)[:20]
)
def test_a_zone_is_one_that_exists(name: str) -> None:
    with pytest.raises(RequestRejected) as refusal:
        SystemSetting(zone=name)

    assert [(v.code, v.field) for v in refusal.value.violations] == [(VALUE_NOT_ALLOWED, "/zone")]


@pytest.mark.parametrize("name", ZONES)
def test_every_iana_zone_is_allowed(name: str) -> None:
    assert AccountType(code="payer", zone=name).zone == name


@attrs.frozen(kw_only=True)
class Changes(Form):
    label: Label | Unset | None = UNSET
    code: Code | Unset = UNSET
    plain: Label | None = None


def test_a_field_that_may_be_unset_is_absent_null_or_given() -> None:
    assert form.changes_in(Changes()) == {}
    assert form.changes_in(Changes(label=None, plain="x")) == {"label": None}
    assert form.changes_in(Changes(label="x", code="y")) == {"label": "x", "code": "y"}


def test_what_is_given_for_a_field_that_may_be_unset_has_its_form() -> None:
    wrong: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"label": ""}, LENGTH_OUT_OF_RANGE, "/label"),
        ({"code": None}, TYPE_WRONG, "/code"),
        ({"plain": UNSET}, TYPE_WRONG, "/plain"),
    )
    for fields, code, field in wrong:
        with pytest.raises(RequestRejected) as refusal:
            Changes(**fields)
        assert [(v.code, v.field) for v in refusal.value.violations] == [(code, field)]


def test_every_failure_is_told_in_the_order_of_the_fields() -> None:
    assert failures(labels=("a", ""), external_id=" x", label="", amount=0, account=7) == [
        (LENGTH_OUT_OF_RANGE, "/label"),
        (TEXT_NOT_ALLOWED, "/externalId"),
        (VALUE_OUT_OF_RANGE, "/amount"),
        (TYPE_WRONG, "/account"),
        (LENGTH_OUT_OF_RANGE, "/labels/1"),
    ]


def test_a_failure_inside_a_list_points_at_its_item() -> None:
    assert failures(accounts=(AccountName(), "A-1"), labels=("a", " ", "")) == [
        (TYPE_WRONG, "/accounts/1"),
        (LENGTH_OUT_OF_RANGE, "/labels/2"),
    ]


@pytest.mark.parametrize(
    ("payment_type", "missing"),
    [(PaymentType.IN, "/paymentDateReceived"), (PaymentType.OUT, "/paymentDateSent")],
)
def test_a_payment_needs_the_date_of_its_direction(scene: Scene, payment_type: PaymentType, missing: str) -> None:
    with pytest.raises(RequestRejected) as refusal:
        scene.request("RegisterPayment", payment_type=payment_type, payment_date_received=None, payment_date_sent=None)

    assert [(v.code, v.field) for v in refusal.value.violations] == [(form.FIELD_REQUIRED, missing)]


def test_a_promise_needs_no_date(scene: Scene) -> None:
    request = scene.request("RegisterPayment", payment_type=PaymentType.PROMISE_TO_PAY, payment_date_received=None)

    assert request.payment_date_received is None


@pytest.mark.parametrize(
    "operation", ["CancelPaymentInAssignment", "CancelPaymentInIdentification", "CancelPayment", "CancelDocument"]
)
def test_one_of_the_names_of_a_thing_is_needed(scene: Scene, operation: str) -> None:
    fields = {f.name for f in attrs.fields(type(scene.request(operation)))}
    nameless = {"payment_ref_id", "document_ref_id"} & fields
    missing = {"monetary_transaction_ref_id"} & fields or nameless

    with pytest.raises(RequestRejected) as refusal:
        scene.request(operation, **dict.fromkeys(nameless))

    assert {(v.code, v.field) for v in refusal.value.violations} == {
        (form.FIELD_REQUIRED, f"/{form.wire_name(name)}") for name in missing
    }


def test_a_name_that_is_given_wrongly_is_not_missing(scene: Scene) -> None:
    with pytest.raises(RequestRejected) as refusal:
        scene.request("CancelPaymentInAssignment", payment_ref_id=None, payment_no="", document_ref_id=None)

    assert [(v.code, v.field) for v in refusal.value.violations] == [
        (LENGTH_OUT_OF_RANGE, "/paymentNo"),
        (form.FIELD_REQUIRED, "/documentRefId"),
    ]


@pytest.mark.parametrize("request_id", ["", " 1", "x" * 256, "a\0b", 7, None], ids=lambda t: ascii(t)[:20])
def test_every_command_needs_a_request_id_of_the_right_form(scene: Scene, request_id: Any) -> None:
    with pytest.raises(RequestRejected, match="at /requestId: "):
        scene.request("UpdateInvoicingFlag", request_id=request_id)


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [("amount", "amount"), ("payment_amount", "paymentAmount"), ("payment_ref1", "paymentRef1"), ("ref_id", "refId")],
)
def test_names_on_the_wire_are_in_camel_case(name: str, on_the_wire: str) -> None:
    assert form.wire_name(name) == on_the_wire


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("x", "the text 'x'"),
        (7, "the number 7"),
        (1.5, "the number 1.5"),
        ({}, "an object"),
        ([], "a list"),
        ((), "a list"),
        (NOW, "datetime"),
    ],
)
def test_a_wrong_value_is_described_for_people(value: Any, words: str) -> None:
    assert form.describe(value) == words


def test_one_class_catches_every_error_of_the_library() -> None:
    assert issubclass(RequestRejected, OcsError)
    assert issubclass(InvalidValue, OcsError)


def test_a_text_in_the_place_of_a_member_is_told_which_member_it_stands_for() -> None:
    rest: dict[str, Any] = {
        "request_id": "1",
        "payment_amount": 1_000_000,
        "currency": "EUR",
        "payment_method": "cash",
        "payment_date_received": NOW,
    }
    for text, said in {
        "IN": "Give PaymentType.IN, not the text 'IN'.",
        "in": "Give one of PaymentType.IN, PaymentType.OUT, PaymentType.PROMISE_TO_PAY, not the text 'in'.",
    }.items():
        with pytest.raises(RequestRejected) as rejected:
            RegisterPaymentRequest(payment_type=text, **rest)  # type: ignore[arg-type]
        assert [v.message for v in rejected.value.violations] == [said]
