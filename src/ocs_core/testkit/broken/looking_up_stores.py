"""Broken stores: look-ups that are answered by halves, or otherwise beside others than alone."""

from collections import defaultdict
from typing import Any, TypeVar

import attrs

from ocs_core.performed import RequestKey
from ocs_core.ports import Found, Lookup, OwnerOf, SettlementWithId
from ocs_core.testkit.broken.stores import UnitOfWork, breaks

T = TypeVar("T")


@breaks("test_every_lookup_is_answered")
class KnowsTheOwnersOfItemsAlone(UnitOfWork):
    """Whose account a settlement is on was never looked up before."""

    def answer(self, lookup: Lookup[T]) -> Any:
        if isinstance(lookup, OwnerOf) and isinstance(lookup.item, SettlementWithId):
            return None
        return super().answer(lookup)


@breaks("test_what_is_asked_together_changes_no_answer")
class AnswersOneOfEachKind(UnitOfWork):
    """Answers go by the class of the look-up, of which there was only one when it was written."""

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        last = {type(lookup): self.answer(lookup) for lookup in lookups}
        found = super().find(*lookups, key=key)
        return attrs.evolve(found, answers={lookup: last[type(lookup)] for lookup in lookups})


@breaks("test_a_lookup_that_a_store_does_not_know_is_refused_by_its_name")
class FindsNothingOfWhatItDoesNotKnow(UnitOfWork):
    """A new look-up is no reason to fail."""

    def answer(self, lookup: Lookup[T]) -> Any:
        try:
            return super().answer(lookup)
        except NotImplementedError:
            return None


@breaks("test_what_was_not_asked_is_not_found")
class FindsNothingWhereNothingWasAsked(UnitOfWork):
    """Who asks for what was not looked up is told that it is not there."""

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        answers: defaultdict[Lookup[Any], Any] = defaultdict(lambda: None)
        answers.update((lookup, self.answer(lookup)) for lookup in lookups)
        return attrs.evolve(super().find(key=key), answers=answers)
