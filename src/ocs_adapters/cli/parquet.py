"""The figures of every payer as rows of a Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, BinaryIO

import attrs
import pyarrow as pa
import pyarrow.parquet as pq

from ocs_core.usecases.calculate_collection_balance import PayerCalculated, SliceDone

SCHEMA = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("externalId", pa.string()),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("balance", pa.decimal128(19, 6), nullable=False),
        pa.field("oldestDueDate", pa.date32()),
        pa.field("inCollection", pa.bool_(), nullable=False),
        pa.field("starts", pa.bool_(), nullable=False),
    ]
)
"""The columns of the comma-separated file; nineteen digits are those of 64 bits, six of them millionths."""
ROW_GROUP = 65_536
"""So many payers are kept in memory at the most, and written together: a slice may be of one payer alone."""


@contextmanager
def writing(file: BinaryIO) -> Iterator["Rows"]:
    """Rows for a file, all of them in it at the end."""
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        rows = Rows(writer)
        yield rows
        rows.flush()


@attrs.frozen
class Rows:
    """Payers on their way into a file, a group at a time."""

    _writer: Any
    _waiting: list[tuple[Any, ...]] = attrs.field(factory=list)

    def write(self, done: SliceDone) -> None:
        self._waiting.extend(map(_row, done.payers))
        if len(self._waiting) >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            columns = zip(*self._waiting, strict=True)
            arrays = [pa.array(values, field.type) for field, values in zip(SCHEMA, columns, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
            self._waiting.clear()


def _row(payer: PayerCalculated) -> tuple[Any, ...]:
    account, found = payer.account, payer.found
    return (
        str(account.ref_id),
        account.external_id,
        account.currency,
        Decimal(found.balance).scaleb(-6),
        found.oldest_due_date,
        payer.in_collection,
        payer.starts,
    )
