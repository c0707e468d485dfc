"""What a run wrote, so that two runs can be compared row by row whoever made them."""

from collections.abc import Iterator
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

_PAYERS_BUT_FOR_TIMES = """
SELECT account_ref_id, collection_balance, oldest_due_date, in_collection, collection_balance_as_of, version FROM payers
"""
_OUTBOX = "SELECT topic, key, share, headers, value FROM outbox"


@attrs.frozen
class Written:
    """What a run left behind, but for the ids and times of its own; the sums of hashes do not depend on the order."""

    payers: int
    messages: int
    octets: int
    sum_of_payers: int
    sum_of_messages: int

    @classmethod
    def by_now(cls, engine: sa.Engine) -> "Written":
        payers = [hash(tuple(row)) for row in _rows(engine, _PAYERS_BUT_FOR_TIMES)]
        messages, octets = [], 0
        for topic, key, share, headers, value in _rows(engine, _OUTBOX):
            octets += len(headers) + len(value)
            kept = [_without(headers, "ce_id", "ce_time"), _without(value, "collectionBalanceCalculatedAt")]
            messages.append(hash((topic, key, share, *kept)))
        return cls(len(payers), len(messages), octets, sum(payers), sum(messages))


def _rows(engine: sa.Engine, query: str) -> Iterator[Any]:
    with engine.connect().execution_options(yield_per=10_000) as connection:
        yield from connection.exec_driver_sql(query)


def _without(text: str, *names: str) -> bytes:
    return msgspec.json.encode({n: v for n, v in msgspec.json.decode(text).items() if n not in names}, order="sorted")
