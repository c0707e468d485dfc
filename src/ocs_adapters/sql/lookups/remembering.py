"""A command that was performed: what every command looks up, whatever it wants."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.serial import decode_answer
from ocs_adapters.sql import tables
from ocs_adapters.sql.drivers import Driver, Row
from ocs_adapters.sql.lookups.asking import Asked
from ocs_adapters.sql.reading import value_reader
from ocs_core.performed import Performed, RequestKey

_R = tables.requests.c
_REQUEST = sa.select(_R.operation, _R.digest, _R.ref_ids, _R.performed_at, _R.answer).where(
    _R.application == bindparam("application"), _R.request_id == bindparam("request_id")
)


def ask_for_request(key: RequestKey, driver: Driver) -> Asked:
    parameters = {"application": key.application, "request_id": key.request_id}
    return Asked(
        _REQUEST, parameters, functools.partial(_performed, key, value_reader(dt.datetime, driver)), joins=True
    )


def _performed(key: RequestKey, read_instant: Callable[[Any], dt.datetime], rows: Sequence[Row]) -> Performed | None:
    if not rows:
        return None
    operation, digest, ref_ids, performed_at, answer = rows[0]
    return Performed(
        key=key,
        operation=operation,
        digest=bytes(digest),
        ref_ids=tuple(UUID(ref_id) for ref_id in msgspec.json.decode(ref_ids)),
        performed_at=read_instant(performed_at),
        answer=decode_answer(answer) if answer is not None else None,
    )
