"""Whether two parties hold the same of an entity, without showing it to each other."""

import hashlib
from typing import Any

import msgspec


def digest(plain: Any) -> bytes:
    """16 bytes over an entity's JSON, as `plain` gives it or as it was decoded.

    The order of fields does not count, nor whether a field is null or left out: a release that adds a field with nothing
    in it changes no digest.
    """
    canonical = msgspec.json.encode(_without_nulls(plain), order="sorted")
    return hashlib.blake2b(canonical, digest_size=16).digest()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(part) for part in value]
    return value
