"""The text of a body into plain JSON values: strict, so that what is wrong can be told by its field afterwards."""

import json
from collections import Counter
from typing import Any

from ocs_core.errors import RequestRejected, Violation
from ocs_core.form import BODY_NOT_JSON


def parse_json(body: bytes) -> Any:
    """The JSON value of a body. Raises `RequestRejected` (`BODY_NOT_JSON`) where it is none, is nested too deep, or has an
    object with one name twice."""
    try:
        # The standard library's reader takes lone surrogates and huge numbers, so that they are told by field.
        return json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        reason = f"it is not in UTF-8, at byte {error.start}"
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = str(error)
    raise RequestRejected(Violation(BODY_NOT_JSON, "", f"The body is not JSON: {reason}."))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one name nobody can say which is meant; readers differ in it, and so would those on the way."""
    value = dict(pairs)
    if len(value) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, times in counted.items() if times > 1)
        raise ValueError(f"an object has the name {twice[:40]!r} twice")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
