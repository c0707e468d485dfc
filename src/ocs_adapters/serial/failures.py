"""Every failure of form in a JSON value, in the order of the fields (domain: section 2)."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
from cattrs import (
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from ocs_adapters.serial.values import Reader, as_list, as_object, reader_of, wrong_type
from ocs_core.errors import RequestRejected, Violation
from ocs_core.form import FIELD_UNKNOWN, Constraint, Field, FormError, Texts, escaped, fields, required


@attrs.frozen(eq=False)
class Failures:
    """Reads all of a value whatever is wrong with it; `named` says under which name an object has a field."""

    named: Callable[[Field], str]
    _converter: Converter = attrs.field(factory=lambda: Converter(forbid_extra_keys=True), init=False)
    _readers: dict[type, Reader] = attrs.field(factory=dict, init=False)

    def of(self, cls: type, value: Any) -> Iterator[Violation]:
        """What is wrong with a value that is to be a form of this class."""
        try:
            self._of_class(cls)(value)
        except Exception as error:
            yield from self._told(error, value, "")

    def _of_class(self, cls: Any) -> Reader:
        if cls not in self._readers:
            hooks: Any = {
                field.name: override(rename=self.named(field), struct_hook=_hook(self._of_field(field)))
                for field in fields(cls)
            }
            structure = make_dict_structure_fn(cls, self._converter, _cattrs_detailed_validation=True, **hooks)
            self._readers[cls] = lambda value: structure(as_object(value), cls)
        return self._readers[cls]

    def _of_field(self, field: Field) -> Reader:
        read = self._of_given(field)
        return lambda value: None if value is None and field.optional else read(value)

    def _of_given(self, field: Field) -> Reader:
        if field.base is tuple and field.item:
            return functools.partial(_items, field, self._of_field(field.item))
        if attrs.has(field.base):
            return self._of_class(field.base)
        texts = next((constraint for constraint in field.constraints if isinstance(constraint, Texts)), None)
        if texts is not None:
            return functools.partial(_texts, texts)
        return functools.partial(_checked, reader_of(field.base) or _exactly(field.base), field.constraints)

    def _told(self, error: Exception, value: Any, pointer: str) -> Iterator[Violation]:
        match error:
            case ClassValidationError():
                yield from self._told_of_class(error, value, pointer)
            case IterableValidationError():
                for wrong, note in error.group_exceptions()[0]:
                    yield from self._told(wrong, value[note.index], f"{pointer}/{note.index}")
            case RequestRejected():
                for violation in error.violations:
                    yield attrs.evolve(violation, field=pointer + violation.field)
            case FormError():
                yield Violation(error.code, pointer, error.message)
            case _:
                raise error

    def _told_of_class(
        self, error: ClassValidationError, value: Mapping[str, Any], pointer: str
    ) -> Iterator[Violation]:
        noted, others = error.group_exceptions()
        wrong = {note.name: found for found, note in noted}
        missing = self._also_required(error.cl, value, wrong)
        for field in fields(error.cl):
            wire = self.named(field)
            at = f"{pointer}/{wire}"
            if field.name in wrong and wire in value:
                yield from self._told(wrong[field.name], value[wire], at)
            elif field.name in wrong or field.name in missing:
                yield required(at)
        for unknown in [
            name
            for other in others
            if isinstance(other, ForbiddenExtraKeysError)
            for name in sorted(other.extra_fields)
        ]:
            yield Violation(FIELD_UNKNOWN, f"{pointer}/{escaped(unknown)}", "There is no such field.")

    def _also_required(self, cls: Any, value: Mapping[str, Any], wrong: Mapping[str, Exception]) -> Sequence[str]:
        """Optional fields that are missing, as far as the others are right."""
        right = {
            field.name: self._of_field(field)(value[wire]) if (wire := self.named(field)) in value else field.default
            for field in fields(cls)
            if field.name not in wrong
        }
        return [name for name in cls.also_required(right) if name in right and right[name] is None]


def _hook(read: Reader) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


def _items(field: Field, read: Reader, value: Any) -> tuple[Any, ...]:
    found, errors = [], []
    for index, item in enumerate(as_list(value, field)):
        try:
            found.append(read(item))
        except Exception as error:
            error.add_note(IterableValidationNote(f"item {index}", index, field.base))
            errors.append(error)
    if errors:
        raise IterableValidationError(f"items of {field.name}", errors, field.base)
    return tuple(found)


def _texts(texts: Texts, value: Any) -> Any:
    if wrong := texts.failures(value, ""):
        raise RequestRejected(*wrong)
    return value


def _exactly(expected: type) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not expected:
            raise wrong_type(expected, value)
        return value

    return read


def _checked(read: Reader, constraints: Sequence[Constraint], value: Any) -> Any:
    found = read(value)
    for constraint in constraints:
        constraint.check(found)
    return found
