"""Who calculates slices by command: each once, however often and whenever the command comes."""

from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ocs_adapters.bootstrap import in_memory
from ocs_adapters.consumers.slices import SliceWorker
from ocs_adapters.process.dispatcher import SliceCommand
from ocs_core.entities.account import Account
from ocs_core.entities.configuration import CollectionSetting
from ocs_core.entities.process import RunState
from ocs_core.memory import MemoryStore
from ocs_core.memory.store import MemoryUnitOfWork
from ocs_core.messages import Message
from ocs_core.ports import Delivered
from ocs_core.testkit.examples import Desk, configuration


class Shop:
    """A run over ten payers in slices of four, and one who works off commands."""

    def __init__(self) -> None:
        store = MemoryStore(configuration(CollectionSetting(slice_size=4)))
        desk = Desk(store)
        self.payers: list[Account] = [desk.account(f"A-{n}") for n in range(10)]
        self.run = desk.start_run()
        self.services = in_memory(store)
        self.worker = SliceWorker(self.services.runner)

    def comes(self, number: int, run: UUID | None = None) -> tuple[int, int]:
        """A command comes; gives how many slices and payers are done by then."""
        row = SliceCommand(run or self.run.ref_id, number).row("slices", 0)
        self.worker.process([Delivered(topic=row.topic, key=row.key, headers=row.headers, value=row.value)])
        return self.worker.slices, self.worker.payers

    def progress(self) -> Any:
        run = self.services.queries.run(self.run.ref_id)
        assert run is not None
        return run


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_slice_that_is_named_is_calculated_and_no_other(shop: Shop) -> None:
    assert shop.comes(2) == (1, 4)
    with shop.services.store.begin() as uow:
        assert uow.slices_left(shop.run.ref_id) == [1, 3]


def test_a_command_that_comes_again_finds_its_slice_done(shop: Shop) -> None:
    assert [shop.comes(3), shop.comes(3), shop.comes(1)] == [(1, 2), (1, 2), (2, 6)]


def test_who_works_does_not_end_the_run_and_who_finishes_it_does(shop: Shop) -> None:
    for number in (3, 1, 2):
        shop.comes(number)
    assert (shop.worker.slices, shop.worker.payers, shop.progress().state) == (3, 10, RunState.RUNNING)
    assert shop.services.runner.finish(shop.run.ref_id).state is RunState.DONE
    assert shop.comes(1) == (3, 10)


def test_a_payer_that_spoils_a_slice_is_passed_over_and_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = MemoryUnitOfWork.publish

    def spoilt(uow: MemoryUnitOfWork, message: Message) -> None:
        if message.key == shop.payers[5].ref_id:
            raise ValueError("spoilt")
        publish(uow, message)

    monkeypatch.setattr(MemoryUnitOfWork, "publish", spoilt)
    with capture_logs():
        assert [shop.comes(3), shop.comes(2)] == [(1, 2), (2, 5)]
    (failure,) = shop.progress().failures
    assert (failure.account.external_id, failure.message) == ("A-5", "ValueError: spoilt")


MANY = 64


@settings(max_examples=20)
@given(spoilt=st.sets(st.integers(0, MANY - 1), max_size=3))
def test_whoever_spoils_a_slice_is_found_in_few_steps_and_nobody_else_is_given_up(spoilt: set[int]) -> None:
    store = MemoryStore(configuration(CollectionSetting(slice_size=MANY)))
    desk = Desk(store)
    payers = [desk.account(f"A-{n}").ref_id for n in range(MANY)]
    keys = {payers[n] for n in spoilt}
    publish, take, taken = MemoryUnitOfWork.publish, MemoryUnitOfWork.take_slice, []

    def publish_unless_spoilt(uow: MemoryUnitOfWork, message: Message) -> None:
        if message.key in keys:
            raise ValueError("spoilt")
        publish(uow, message)

    def take_slice(uow: MemoryUnitOfWork, *named: Any) -> Any:
        taken.append(take(uow, *named))
        return taken[-1]

    with (
        capture_logs(),
        patch.object(MemoryUnitOfWork, "publish", publish_unless_spoilt),
        patch.object(MemoryUnitOfWork, "take_slice", take_slice),
    ):
        run = in_memory(store).runner.run(desk.start_run().ref_id)
    assert {failure.account.ref_id for failure in run.failures} == keys
    assert (run.payers_done, run.payers_failed) == (MANY - len(keys), len(keys))
    assert len(taken) <= 4 + len(keys) * 3 * MANY.bit_length()


def test_what_nothing_can_be_made_of_is_passed_over_and_said(shop: Shop) -> None:
    with capture_logs() as logged:
        shop.comes(1, run=uuid4())
        shop.worker.process([Delivered(topic="slices", key=uuid4(), headers={}, value=b"?")])
        assert shop.comes(99) == (0, 0)
    assert [line["log_level"] for line in logged] == ["error", "error"]
