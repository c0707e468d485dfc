"""Forms: requests that have the right form as soon as they exist."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from ocs_core.errors import RequestRejected, Violation
from ocs_core.form.checkers import Checker, each, moment, nested, typed
from ocs_core.form.failures import required
from ocs_core.form.fields import UNSET, Field, InstantOrDay, fields
from ocs_core.form.texts import Texts


class Form:
    """Base of every request: one that exists has the right form. Raises `RequestRejected` with every failure."""

    def __attrs_post_init__(self) -> None:
        violations = violations_of(self)
        if violations:
            raise RequestRejected(*violations)

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        """Names of optional fields that the other fields, as far as they are known and right, make mandatory."""
        return ()


def changes_in(form: Form) -> dict[str, Any]:
    """The fields that a form gives, of those that it may leave as they are."""
    cls: Any = type(form)
    may_be_unset = [field.name for field in fields(cls) if field.unset]
    return {name: value for name in may_be_unset if (value := getattr(form, name)) is not UNSET}


def one_of(given: Mapping[str, Any], *names: str) -> Collection[str]:
    """For `also_required`: of these fields one must be given, and where none is, the first is missing.

    A field that is given wrongly is told as that, and is not missing.
    """
    return names[:1] if all(name in given and given[name] is None for name in names) else ()


def violations_of(value: Any) -> list[Violation]:
    """Every failure of form in an attrs instance, in the order of its fields."""
    cls: Any = type(value)
    checks = _checks(cls)
    also_required: Collection[str] = ()
    if _may_require_more(cls):
        also_required = value.also_required({name: getattr(value, name) for name, _, _ in checks})
    found: list[Violation] = []
    for name, pointer, check in checks:
        given = getattr(value, name)
        if given is None and name in also_required:
            found.append(required(pointer))
        else:
            found += check(given, pointer)
    return found


@functools.cache
def _may_require_more(cls: Any) -> bool:
    return bool(cls.also_required.__func__ is not Form.also_required.__func__)  # type: ignore[attr-defined]


@functools.cache
def _checks(cls: Any) -> tuple[tuple[str, str, Checker], ...]:
    """For each field its name, where it stands in JSON, and what checks it."""
    return tuple((field.name, f"/{field.wire}", _checker(field)) for field in fields(cls))


def _checker(field: Field) -> Checker:
    check = _checker_of_given(field)
    optional, unset = field.optional, field.unset

    def check_if_given(value: Any, pointer: str) -> Sequence[Violation]:
        if (value is None and optional) or (value is UNSET and unset):
            return ()
        return check(value, pointer)

    return check_if_given if optional or unset else check


def _checker_of_given(field: Field) -> Checker:
    texts = next((constraint for constraint in field.constraints if isinstance(constraint, Texts)), None)
    if texts is not None:
        return texts.failures
    if field.base is InstantOrDay:
        return moment
    if field.base is tuple and field.item:
        return each(_checker(field.item), field.constraints)
    return nested(field.base) if attrs.has(field.base) else typed(field.base, field.constraints)
