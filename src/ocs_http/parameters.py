"""Query parameters into requests: text is converted strictly by the types of the request's fields (domain: section 2)."""

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

from ocs_adapters.serial import decode_request
from ocs_core.errors import RequestRejected, Violation
from ocs_core.form import Form, fields

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,39})", re.ASCII)
_TRUTH = {"true": True, "false": False}


class Expand(StrEnum):
    """What of an answer is told with more than its code."""

    CODES = "codes"


@attrs.frozen(kw_only=True)
class Shown(Form):
    """How what a read finds is shown; every read takes it."""

    expand: Expand | None = None


def parse_query(query: bytes, in_path: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The parameters by name, those of the path first; one that is repeated is a list, which no parameter wants."""
    given = {name: [value] for name, value in in_path.items()}
    text = query.decode("utf-8", "surrogateescape")
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        given.setdefault(name.encode("utf-8", "replace").decode(), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in given.items()}


def decode_read(cls: Any, given: Mapping[str, str | list[str]]) -> tuple[Any, Shown]:
    """A read's request, and how its answer is to be shown. Raises `RequestRejected` with every failure of both."""
    failures: list[Violation] = []
    names = _kinds(Shown).keys()
    with _collected(failures):
        request = decode_query(cls, {name: value for name, value in given.items() if name not in names})
    with _collected(failures):
        shown = decode_query(Shown, {name: value for name, value in given.items() if name in names})
    if failures:
        raise RequestRejected(*failures)
    return request, shown


@contextmanager
def _collected(failures: list[Violation]) -> Iterator[None]:
    try:
        yield
    except RequestRejected as rejected:
        failures.extend(rejected.violations)


def decode_query(cls: Any, given: Mapping[str, str | list[str]]) -> Any:
    """A request made of parameters. Raises `RequestRejected` with every failure, by the parameters' names."""
    kinds = _kinds(cls)
    try:
        return decode_request(cls, {name: _converted(value, kinds.get(name)) for name, value in given.items()})
    except RequestRejected as rejected:
        raise by_parameter(rejected, given) from None


def by_parameter(rejected: RequestRejected, given: Mapping[str, object]) -> RequestRejected:
    """The same failures, told by the names of parameters instead of pointers into a body.

    What is told of the account is told of the parameter that named it.
    """
    account = "externalId" if "externalId" in given and "refId" not in given else "refId"

    def renamed(violation: Violation) -> Violation:
        name = violation.field.removeprefix("/").replace("~1", "/").replace("~0", "~")
        return attrs.evolve(violation, field=account if name == "account" and name not in given else name)

    return RequestRejected(*map(renamed, rejected.violations))


def next_page(path: str, given: Mapping[str, str | list[str]]) -> str:
    """The value of a `Link` header: what was asked, with these parameters."""
    return f'<{path}?{urlencode(given)}>; rel="next"'


def _converted(value: str | list[str], kind: type | None) -> Any:
    """Numbers and truth values from their one text; any other text stays, to be refused for its type."""
    if isinstance(value, str):
        if kind is int and _WHOLE.fullmatch(value):
            return int(value)
        if kind is bool:
            return _TRUTH.get(value, value)
    return value


@functools.cache
def _kinds(cls: Any) -> dict[str, type]:
    return {field.wire: field.base for field in fields(cls)}
