"""Entities, look-ups and payloads are values: nothing that was read can be changed, and all of it has a hash."""

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ocs_core
from ocs_core.frozen import FrozenDict, frozen_mappings
from ocs_core.testkit.strategies.entities import documents, payers, payment_histories

MAPPINGS = st.dictionaries(st.text(max_size=3), st.integers(), max_size=3)
CHANGES: dict[str, Any] = {
    "set": lambda m: m.__setitem__("x", 1),
    "delete": lambda m: m.__delitem__("a"),
    "update": lambda m: m.update(x=1),
    "join": lambda m: m.__ior__({"x": 1}),
    "default": lambda m: m.setdefault("x", 1),
    "pop": lambda m: m.pop("a"),
    "pop any": lambda m: m.popitem(),
    "clear": lambda m: m.clear(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_way_to_change_a_dict_changes_one_that_is_frozen(change: Any) -> None:
    changed, frozen = {"a": 0}, FrozenDict({"a": 0})
    change(changed)
    assert changed != {"a": 0}
    with pytest.raises(TypeError):
        change(frozen)
    assert frozen == {"a": 0}


def test_a_frozen_one_is_not_filled_a_second_time() -> None:
    frozen = FrozenDict({"a": 0})
    frozen.__init__({"b": 1})  # type: ignore[misc]
    assert frozen == {"a": 0}
    assert FrozenDict.fromkeys("ab", 0) == {"a": 0, "b": 0}


def test_every_way_to_change_a_dict_is_known_here() -> None:
    kept = {"__class_getitem__", "__init__", "copy", "fromkeys", "get", "items", "keys", "values"}
    given_by_dict = {name for name, of in vars(dict).items() if callable(of) or isinstance(of, classmethod)}
    looks = {name for name in given_by_dict if not name.startswith("__")} - kept
    assert looks == {"clear", "pop", "popitem", "setdefault", "update"}


@given(MAPPINGS)
def test_a_frozen_one_is_equal_to_what_it_was_made_of_and_so_are_its_copies(mapping: dict[str, int]) -> None:
    frozen = FrozenDict(mapping)
    for one in (frozen, copy.copy(frozen), copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert one == mapping
        assert type(one) is FrozenDict
        assert hash(one) == hash(frozen) == hash(FrozenDict(reversed(mapping.items())))


def _values() -> Iterator[type]:
    """Every frozen class of the core that anybody is given."""
    for module in pkgutil.walk_packages(ocs_core.__path__, "ocs_core."):
        for cls in vars(importlib.import_module(module.name)).values():
            own = inspect.isclass(cls) and cls.__module__ == module.name and attrs.has(cls)
            if own and not cls.__name__.startswith(("_", "Memory")) and ".testkit" not in module.name:
                yield cls


MAPPING_FIELDS = [
    (cls, field.name)
    for cls in _values()
    for field in attrs.fields(cls)
    if not field.name.startswith("_")
    and any(word in str(get_type_hints(cls, include_extras=True)[field.name]) for word in ("Mapping[", "dict["))
    and cls.__setattr__ is not object.__setattr__
]


@pytest.mark.parametrize(("cls", "name"), MAPPING_FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_every_field_of_mappings_keeps_a_frozen_one(cls: type, name: str) -> None:
    field = getattr(attrs.fields(cls), name)
    assert field.converter is not None, f"{cls.__name__}: @attrs.frozen(field_transformer=frozen_mappings)"
    assert type(field.converter({"a": 1})) is FrozenDict


def test_the_fields_of_mappings_are_found() -> None:
    assert {"due_date_offsets", "custom_attributes", "operation_parameters", "taxes"} <= {n for _, n in MAPPING_FIELDS}


def test_what_is_no_mapping_is_left_to_who_checks_it() -> None:
    @attrs.frozen(field_transformer=frozen_mappings)
    class Kept:
        of: Mapping[str, int] | None

    assert Kept(None).of is None
    assert Kept([1]).of == [1]  # type: ignore[arg-type]


@given(payers() | documents() | payment_histories())
def test_an_entity_has_a_hash_and_equal_ones_the_same(entity: Any) -> None:
    assert hash(copy.deepcopy(entity)) == hash(entity)
