"""A command may be repeated safely (domain: section 2, requestId), and nothing is left of one that failed."""

import datetime as dt
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from ocs_core.entities.document import Document
from ocs_core.entities.process import RunState
from ocs_core.errors import Conflict, RequestRejected, StoreBusy, StoreTooSlow, StoreUnavailable
from ocs_core.form import UNSET
from ocs_core.memory import MemoryStore
from ocs_core.memory.store import MemoryUnitOfWork
from ocs_core.messages import Response
from ocs_core.performed import RequestKey
from ocs_core.ports import Found, Lookup
from ocs_core.testkit.examples import NOW, Desk, configuration
from ocs_core.testkit.fakes import FaultyStore
from ocs_core.usecases.calculate_collection_balance import CalculateCollectionBalance, SliceFailed
from ocs_core.usecases.perform import ATTEMPTS, Caller, UseCase, digest_of

from .scene import COMMANDS, Scene, everything_in


def refused(scene: Scene, operation: str, request: Any) -> tuple[str, str]:
    """Code and sentence of the one violation."""
    with pytest.raises(RequestRejected) as refusal:
        scene.perform(operation, request)
    (violation,) = refusal.value.violations
    return violation.code, violation.message


def command(scene: Scene, operation: str, store: Any = None) -> UseCase[Any, Any]:
    return COMMANDS[operation](store or scene.store, clock=scene.clock, ids=scene.desk.ids)


@pytest.mark.parametrize("operation", COMMANDS)
def test_the_same_request_again_gets_the_same_answer_and_does_nothing(scene: Scene, operation: str) -> None:
    request = scene.request(operation)
    first = scene.perform(operation, request)
    before = everything_in(scene.store)
    scene.clock.advance(days=90)

    again = scene.perform(operation, attrs.evolve(request))

    assert (first.replayed, again.replayed) == (False, True)
    assert again.steps == first.steps
    assert everything_in(scene.store) == before


def test_a_repetition_answers_what_was_not_what_is(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag")
    scene.perform("UpdateInvoicingFlag", request)
    scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag", invoicing_excluded=False))

    again = scene.perform("UpdateInvoicingFlag", request)

    assert again.steps[0].object.invoicing_excluded


def test_an_id_used_for_another_operation_is_reused(scene: Scene) -> None:
    scene.perform("UpdateInvoicingFlag", scene.request("UpdateInvoicingFlag", request_id="one"))

    code, message = refused(scene, "UpdateDueDateOffset", scene.request("UpdateDueDateOffset", request_id="one"))

    assert (code, "UpdateInvoicingFlag" in message) == ("REQUEST_ID_REUSED", True)


def test_the_same_id_of_another_application_is_another_request(scene: Scene) -> None:
    request = scene.request("RegisterPayment", request_id="one")
    first = command(scene, "RegisterPayment")(request, caller=Caller("crm"))
    second = command(scene, "RegisterPayment")(request, caller=Caller("bank"))

    assert not second.replayed
    assert first.steps[0].object.ref_id != second.steps[0].object.ref_id


def test_an_answer_that_is_no_longer_kept_is_told_by_what_it_touched(scene: Scene) -> None:
    request = scene.request("CreateAccount")
    answer = scene.perform("CreateAccount", request)
    scene.clock.advance(days=90, seconds=1)

    code, message = refused(scene, "CreateAccount", request)

    assert code == "REQUEST_ALREADY_PERFORMED"
    assert str(answer.steps[0].object.ref_id) in message


def test_how_long_an_answer_is_kept_may_be_said_otherwise(scene: Scene) -> None:
    request = scene.request("CreateAccount")
    create = attrs.evolve(command(scene, "CreateAccount"), answers_kept=dt.timedelta(days=1))
    create(request)
    scene.clock.advance(days=1)
    assert create(request).replayed
    scene.clock.advance(microseconds=1)
    with pytest.raises(RequestRejected, match="REQUEST_ALREADY_PERFORMED"):
        create(request)


def test_an_answer_that_the_store_has_dropped_is_no_longer_kept(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag")
    scene.perform("UpdateInvoicingFlag", request)
    scene.store.performed = {key: attrs.evolve(p, answer=None) for key, p in scene.store.performed.items()}

    assert refused(scene, "UpdateInvoicingFlag", request)[0] == "REQUEST_ALREADY_PERFORMED"


def test_another_body_is_told_as_such_even_after_the_answer_is_gone(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag")
    scene.perform("UpdateInvoicingFlag", request)
    scene.clock.advance(days=900)

    assert refused(scene, "UpdateInvoicingFlag", attrs.evolve(request, invoicing_excluded=False))[0] == (
        "REQUEST_ID_REUSED"
    )


def test_replay_comes_before_the_rules(scene: Scene) -> None:
    request = scene.request("RegisterPayment", external_payment_no="E-1")
    scene.perform("RegisterPayment", request)
    scene.unconfigure("currencies", "EUR")

    assert scene.perform("RegisterPayment", request).replayed


def test_a_refused_request_may_come_again_corrected_under_its_id(scene: Scene) -> None:
    wrong = scene.request("RegisterPayment", currency="XXX")
    assert refused(scene, "RegisterPayment", wrong)[0] == "CURRENCY_NOT_CONFIGURED"

    corrected = scene.perform("RegisterPayment", attrs.evolve(wrong, currency="EUR"))

    assert not corrected.replayed


def test_requests_differ_by_every_field_but_not_by_what_is_left_at_its_default(scene: Scene) -> None:
    request = scene.request("RegisterPayment")
    scene.perform("RegisterPayment", request)

    assert scene.perform("RegisterPayment", attrs.evolve(request, notification_requested=True)).replayed
    for changes in ({"payer_note": "x"}, {"payment_amount": 1}, {"notification_requested": False}, {"account": None}):
        assert refused(scene, "RegisterPayment", attrs.evolve(request, **changes))[0] == "REQUEST_ID_REUSED"


def test_a_field_that_is_left_as_it_is_and_one_that_is_cleared_are_two_requests(scene: Scene) -> None:
    request = scene.request("UpdatePayer")
    scene.perform("UpdatePayer", request)

    assert scene.perform("UpdatePayer", attrs.evolve(request, iban=UNSET)).replayed
    assert refused(scene, "UpdatePayer", attrs.evolve(request, iban=None))[0] == "REQUEST_ID_REUSED"


def test_the_digest_of_a_json_value_does_not_depend_on_the_order_of_its_keys() -> None:
    assert digest_of({"a": 1, "b": [2, {"c": None, "d": "ü"}]}) == digest_of({"b": [2, {"d": "ü", "c": None}], "a": 1})
    assert digest_of({"a": [1, 2]}) != digest_of({"a": [2, 1]})
    assert digest_of({"a": "1"}) != digest_of({"a": 1})


def test_the_digest_given_by_the_caller_decides(scene: Scene) -> None:
    request = scene.request("UpdateInvoicingFlag")
    flag = command(scene, "UpdateInvoicingFlag")
    flag(request, digest=b"one")

    assert flag(request, digest=b"one").replayed
    with pytest.raises(RequestRejected, match="REQUEST_ID_REUSED"):
        flag(request, digest=b"two")


def test_callers_at_once_with_one_id_get_one_answer(scene: Scene) -> None:
    request = scene.request("RegisterPayment")
    register, answers, together = command(scene, "RegisterPayment"), list[Response](), threading.Barrier(8)

    def call() -> None:
        together.wait()
        answers.append(register(request))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
    assert all(answer.steps == answers[0].steps for answer in answers)


def test_a_rule_that_refuses_because_the_same_request_landed_meanwhile_gives_its_answer(scene: Scene) -> None:
    """Between our look for the request id and the rule, another caller performed the very same request."""
    request = scene.request("RegisterPayment", external_payment_no="E-1")
    first = scene.perform("RegisterPayment", request)

    class LooksTooEarly(MemoryUnitOfWork):
        looks = 0

        def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
            type(self).looks += 1
            found = super().find(*lookups, key=key)
            return attrs.evolve(found, performed=None) if self.looks == 1 else found

    @attrs.frozen
    class Store:
        @contextmanager
        def begin(self, *, snapshot: bool = False) -> Iterator[MemoryUnitOfWork]:
            with scene.store.begin():
                yield LooksTooEarly(scene.store)

    answer = command(scene, "RegisterPayment", Store())(request)

    assert answer == attrs.evolve(first, replayed=True)
    assert LooksTooEarly.looks == 2


@pytest.mark.parametrize("operation", COMMANDS)
def test_wherever_a_command_fails_nothing_is_left_behind(operation: str) -> None:
    scene = Scene()
    request = scene.request(operation)
    before = everything_in(scene.store)
    failures = 0

    while True:
        faulty = FaultyStore(scene.store, failures + 1, RuntimeError("power cut"))
        try:
            answer = scene.perform(operation, request, store=faulty)
        except RuntimeError:
            failures += 1
            assert everything_in(scene.store) == before
        else:
            break

    assert not faulty.has_failed
    assert failures >= 3
    assert answer.steps
    assert everything_in(scene.store) != before


def test_numbers_without_gaps_are_drawn_when_everything_is_decided_and_are_in_all_that_is_told(scene: Scene) -> None:
    """Who holds the series holds up everybody else: nothing is looked at any more, only written."""
    counting = FaultyStore(scene.store, 0, RuntimeError("never"))
    answer = scene.perform("CreateAnyDocument", scene.request("CreateAnyDocument"), store=counting)
    assert counting.steps == ["find", "draw", "add", "publish", "publish", "remember", "commit"]
    (document,) = (step.object for step in answer.steps)
    assert isinstance(document, Document)
    assert document == scene.now_is(document)
    told = [message.payload for message in scene.store.outbox.values()][-2:]
    assert [type(payload).__name__ for payload in told] == ["Document", "DocumentCreated"]
    assert {payload.document_no for payload in told} == {document.document_no}  # type: ignore[union-attr]
    assert re.fullmatch(r"D\d{10}", document.document_no)
    assert type(document.document_no) is str


@pytest.mark.parametrize("error", [StoreBusy("held"), StoreTooSlow("ended")])
def test_what_has_waited_long_already_is_not_tried_again(scene: Scene, error: StoreUnavailable) -> None:
    """Three times the load is what a database needs least that cannot do it once."""
    before = everything_in(scene.store)
    faulty = FaultyStore(scene.store, 1, error)
    with pytest.raises(type(error)):
        command(scene, "RegisterPayment", faulty)(scene.request("RegisterPayment"))
    assert faulty.steps == ["find"]
    assert everything_in(scene.store) == before


@pytest.mark.parametrize("operation", COMMANDS)
@pytest.mark.parametrize("error", [Conflict("a version"), StoreUnavailable("a cable")])
def test_wherever_somebody_is_faster_once_the_command_is_performed_once(operation: str, error: Exception) -> None:
    undisturbed = Scene()
    counting = FaultyStore(undisturbed.store, 0, error)
    undisturbed.perform(operation, undisturbed.request(operation), store=counting)
    expected = {k: len(v) for k, v in everything_in(undisturbed.store).items()}

    for fault_at in range(1, len(counting.steps) + 1):
        scene = Scene()
        answer = scene.perform(operation, scene.request(operation), FaultyStore(scene.store, fault_at, error))
        assert not answer.replayed
        assert {k: len(v) for k, v in everything_in(scene.store).items()} == expected
        assert scene.store.numbers == undisturbed.store.numbers


@pytest.mark.parametrize("operation", COMMANDS)
def test_a_commit_whose_answer_was_lost_is_settled_by_repeating(scene: Scene, operation: str) -> None:
    request = scene.request(operation)
    counting = FaultyStore(scene.store, 0, StoreUnavailable("a cable"))
    scene.perform(operation, request, store=counting)
    other = Scene()
    lost = FaultyStore(other.store, len(counting.steps), StoreUnavailable("a cable"), answer_lost=True)

    answer = other.perform(operation, other.request(operation), store=lost)

    assert lost.has_failed
    assert answer.replayed
    assert len(other.store.outbox) == len(scene.store.outbox)


def test_a_command_that_is_beaten_every_time_gives_up_and_leaves_nothing(scene: Scene) -> None:
    class AlwaysFaster(FaultyStore):
        attempts = 0

        def begin(self, *, snapshot: bool = False) -> Any:
            type(self).attempts += 1
            self.steps.clear()
            return super().begin(snapshot=snapshot)

    before = everything_in(scene.store)
    with pytest.raises(Conflict, match="somebody else was faster"):
        scene.perform(
            "RegisterPayment",
            scene.request("RegisterPayment"),
            store=AlwaysFaster(scene.store, 2, Conflict("a version")),
        )

    assert AlwaysFaster.attempts == ATTEMPTS
    assert everything_in(scene.store) == before


def test_wherever_a_slice_fails_nothing_is_left_of_it() -> None:
    desk = Desk(MemoryStore(configuration()))
    for external_id in ("A-1", "A-2"):
        desk.document(account=desk.account(external_id), document_due_date=NOW.date().replace(day=1))
    run = desk.start_run()
    assert isinstance(desk.store, MemoryStore)
    before, failures = everything_in(desk.store), 0

    while True:
        faulty = FaultyStore(desk.store, failures + 1, RuntimeError("power cut"))
        try:
            done = CalculateCollectionBalance(faulty, clock=desk.clock)(run.ref_id)
        except (RuntimeError, SliceFailed):
            failures += 1
            assert everything_in(desk.store) == before
        else:
            break

    assert failures == len(faulty.steps)
    assert done.part is not None
    assert done.part.collections_started == 2
    assert desk.finish(run.ref_id).state is RunState.DONE
