"""Whatever a command changes, it says what that was before: of every change the difference can be told."""

import copy
from typing import Any
from unittest.mock import patch

import attrs
import pytest

from ocs_core.entities.account import AccountState
from ocs_core.memory import MemoryStore
from ocs_core.testkit.examples import Desk, configuration
from ocs_core.usecases.work import Change, Work

from .scene import COMMANDS, Scene


def changes_of(scene: Scene, operation: str) -> list[Change]:
    """What the command saved."""
    works: list[Work] = []

    def working(**fields: Any) -> Work:
        works.append(Work(**fields))
        return works[-1]

    with patch("ocs_core.usecases.perform.Work", working):
        scene.perform(operation, scene.request(operation))
    (work,) = works
    return work.changes


@pytest.mark.parametrize("operation", COMMANDS)
def test_each_change_is_saved_with_what_was_stored_before_and_tells_the_difference(operation: str) -> None:
    scene = Scene()
    stored = {cls: copy.copy(entities) for cls, entities in scene.store.entities.items()}
    changes = changes_of(scene, operation)
    versions = {
        entity.ref_id: (entity.version, after.version)
        for cls, entities in stored.items()
        for entity in entities.values()
        if (after := scene.store.entities[cls][entity.ref_id]).version != entity.version
    }
    assert {change.after.ref_id for change in changes} == set(versions)
    for change in changes:
        assert stored[type(change.after)][change.after.ref_id] == change.before
        stored[type(change.after)][change.after.ref_id] = change.after
        assert change.fields
        assert attrs.evolve(change.before, **{name: now for name, (_, now) in change.fields.items()}) == attrs.evolve(
            change.after, version=change.before.version
        )
    for change in changes:
        assert scene.now_is(change.after) == stored[type(change.after)][change.after.ref_id]


def test_a_change_says_field_by_field_what_was_and_what_is(scene: Scene) -> None:
    changes = changes_of(scene, "UpdateAccountState")
    assert [change.fields for change in changes] == [{"state": (AccountState.ACTIVE, AccountState.SUSPENDED)}]


def test_a_change_of_another_entity_is_refused_and_nothing_is_saved() -> None:
    desk = Desk(MemoryStore(configuration()))
    one, other = desk.account("A-1"), desk.account("A-2")
    with desk.store.begin() as uow:
        work = Work(uow, desk.clock(), desk.ids, configuration(), "Any", "t", "me")
        with pytest.raises(ValueError, match="as a change of another one"):
            work.save(attrs.evolve(one, custom_name="x"), before=other)
        with pytest.raises(ValueError, match="as a change of another one"):
            work.save(attrs.evolve(one, custom_name="x"), before=attrs.evolve(one, version=7))
        assert work.changes == []
