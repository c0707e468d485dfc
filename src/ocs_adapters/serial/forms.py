"""JSON bodies and configuration entries into requests: strict, and with **every** failure of form told (domain: section 2)."""

import functools
import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from ocs_adapters.serial.failures import Failures
from ocs_adapters.serial.values import Reader, as_list, as_object, reader_of
from ocs_core.errors import RequestRejected
from ocs_core.form import Field, Form, fields

F = TypeVar("F", bound=Form)
MOST_FAILURES = 20_000
"""More than a full list of wholly wrong items has; a body made to have millions of failures is told the first of them."""


def decode_request(cls: type[F], value: Any) -> F:
    """A request of camelCase fields. Raises `RequestRejected` with every failure of form."""
    return _decode(_requests, cls, value)


def decode_entry(cls: type[F], value: Any) -> F:
    """An entry of the configuration file, of snake_case fields. Raises `RequestRejected` with every failure of form."""
    return _decode(_entries, cls, value)


@attrs.frozen(eq=False)
class _Decoder:
    """Makes forms of objects; `named` says under which name an object has a field."""

    named: Callable[[Field], str]
    failures: Failures


def _decode(decoder: _Decoder, cls: type[F], value: Any) -> F:
    of: Any = cls
    try:
        form: F = _of_class(decoder, of)(value)
        return form
    except Exception:
        # The quick way knows only that something is wrong; the slow one tells all of it.
        violations = tuple(itertools.islice(decoder.failures.of(cls, value), MOST_FAILURES))
        if not violations:
            raise
        raise RequestRejected(*violations) from None


@functools.cache
def _of_class(decoder: Any, cls: Any) -> Reader:
    """How an object becomes a form, which checks by itself whatever a value is, once it is one of Python's."""
    known = {decoder.named(field): (field.name, _of_field(decoder, field)) for field in fields(cls)}

    def read(value: Any) -> Any:
        given = {}
        for wire, one in as_object(value).items():
            name, read_one = known[wire]
            given[name] = one if read_one is None or one is None else read_one(one)
        return cls(**given)

    return read


def _of_field(decoder: Any, field: Field) -> Reader | None:
    if field.base is tuple and field.item:
        read_item = _of_field(decoder, field.item)
        return lambda value: tuple(map(read_item or _as_it_is, as_list(value, field)))
    return _of_class(decoder, field.base) if attrs.has(field.base) else reader_of(field.base)


def _as_it_is(value: Any) -> Any:
    return value


def _decoder(named: Callable[[Field], str]) -> _Decoder:
    return _Decoder(named, Failures(named))


_requests = _decoder(lambda field: field.wire)
_entries = _decoder(lambda field: field.name)
