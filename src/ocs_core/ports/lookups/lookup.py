"""What a look-up is, and what was found for those that were asked."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.performed import Performed

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Lookup(Generic[T_co]):
    """One thing that is looked up before anything is decided; the parameter is the type of its answer.

    Two are equal that ask for the same; whether it is read exclusively is no part of that.
    """

    __slots__ = ()


@attrs.frozen
class Found:
    """What there is: the `configuration`, the command if it was `performed` earlier, and by each look-up its answer."""

    configuration: Configuration
    performed: Performed | None = None
    _answers: Mapping[Lookup[Any], Any] = attrs.field(factory=dict)

    def __getitem__(self, lookup: Lookup[T]) -> T:
        """The answer to a look-up. Raises `LookupError` where it was not asked."""
        try:
            answer: T = self._answers[lookup]
        except KeyError:
            asked = ", ".join(sorted(type(each).__name__ for each in self._answers)) or "nothing"
            raise LookupError(f"{lookup} was not looked up; asked were: {asked}") from None
        return answer
