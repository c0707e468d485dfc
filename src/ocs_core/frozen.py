"""Mappings that nobody can change: what was read of a store is a value, not a door into it."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, NoReturn, Self, TypeVar, Union, get_args, get_origin

import attrs

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A `dict` that cannot be changed, and has a hash where its values have one. Whatever takes a `dict` takes it.

    Its values are as they were: a list among them can be changed. Raises `TypeError` where it would change itself.
    """

    __slots__ = ("_hash",)

    def __new__(cls, *given: Any, **named: Any) -> Self:
        made = super().__new__(cls)
        dict.update(made, *given, **named)
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        """It is filled when it is made, and not again."""

    @classmethod
    def fromkeys(cls, keys: Iterable[Any], value: Any = None) -> "FrozenDict[Any, Any]":
        return FrozenDict(dict.fromkeys(keys, value))

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a FrozenDict cannot be changed; make another one of it")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash: int = hash(frozenset(self.items()))
            return self._hash

    def __copy__(self) -> "FrozenDict[K, V]":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "FrozenDict[K, V]":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


def frozen_mappings(cls: type, fields: list["attrs.Attribute[Any]"]) -> list["attrs.Attribute[Any]"]:
    """For `attrs.frozen(field_transformer=frozen_mappings)`: what a field of mappings is given is kept as a `FrozenDict`."""
    return [field.evolve(converter=_frozen) if _is_mapping(field.type) else field for field in fields]


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return origin is Mapping or (origin in (Union, UnionType, Annotated) and any(map(_is_mapping, get_args(hint))))


def _frozen(given: Any) -> Any:
    """What is no mapping is left to who checks it."""
    return FrozenDict(given) if isinstance(given, Mapping) and type(given) is not FrozenDict else given
