"""Messages as rows of Parquet files."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ocs_adapters.consumers.received import NotUnderstood, with_plain_codes
from ocs_core.messages import Family
from ocs_core.ports import Delivered

SCHEMA = pa.schema(
    [
        pa.field("ce_id", pa.string(), nullable=False),
        pa.field("ce_time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("family", pa.string(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("transaction_id", pa.string()),
        pa.field("version", pa.int64()),
        pa.field("schema", pa.string()),
        pa.field("value", pa.string(), nullable=False),
    ]
)
"""`value` is the JSON as it was published; the day of `ce_time` in UTC is the folder's."""
UNREADABLE = (OSError, pa.ArrowException)
"""What reading a file raises that is not there or not as it was written."""
ROW_GROUP = 16_384
"""Rows that share the statistics by which a reader skips them."""
_NARROW = [field.name for field in SCHEMA if field.name != "value"]


class _Settlement(msgspec.Struct):
    version: int | None = None


class _Value(msgspec.Struct, rename="camel"):
    """What the warehouse looks at in a value; the rest is only checked to be JSON."""

    version: int | None = None
    monetary_transaction: _Settlement | None = None


_value: Any = msgspec.json.Decoder(_Value)


def by_day(messages: Sequence[Delivered]) -> Mapping[dt.date, "pa.Table"]:
    """The messages of each day of their `ce_time` in UTC, in their order. Raises `NotUnderstood`."""
    days: dict[dt.date, list[Mapping[str, Any]]] = {}
    for message in messages:
        row = _row(message)
        days.setdefault(row["ce_time"].date(), []).append(row)
    return {day: pa.Table.from_pylist(rows, schema=SCHEMA) for day, rows in days.items()}


def write(table: "pa.Table", path: Path) -> int:
    """Write a file that is there whatever happens to the machine; gives its size in bytes. Raises `OSError`."""
    with path.open("wb") as target:
        pq.write_table(
            table,
            target,
            compression="zstd",
            row_group_size=ROW_GROUP,
            use_dictionary=_NARROW,
            write_statistics=_NARROW,
        )
        target.flush()
        os.fsync(target.fileno())
        return target.tell()


def merged(paths: Sequence[Path]) -> "pa.Table":
    """The rows of several files by key and time, those that share both in the files' order. Raises what is
    `UNREADABLE`."""
    table = pa.concat_tables(pq.read_table(path, schema=SCHEMA, partitioning=None) for path in paths)
    return table.sort_by([("key", "ascending"), ("ce_time", "ascending")])


def memory_of(path: Path) -> int:
    """About how many bytes a file's rows take in memory. Raises what is `UNREADABLE`."""
    metadata = pq.read_metadata(path)
    return sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))


def rows_in(path: Path) -> int:
    """How many rows a file says that it has. Raises what is `UNREADABLE`."""
    return int(pq.read_metadata(path).num_rows)


def rows_of(paths: Sequence[Path]) -> "ds.Dataset":
    """The rows of files with their `day`, read as far as somebody asks for them."""
    day = pa.field("day", pa.date32())
    hive = ds.partitioning(pa.schema([day]), flavor="hive")
    return ds.dataset([str(path) for path in paths], schema=SCHEMA.append(day), format="parquet", partitioning=hive)


def _row(message: Delivered) -> Mapping[str, Any]:
    message = with_plain_codes(message)
    headers = message.headers
    try:
        time = dt.datetime.fromisoformat(headers["ce_time"])
        family = Family.NOTIFICATION if "X-Ocs-Io-notification-code" in headers else Family.BUSINESS_TRANSACTION
        if time.tzinfo is None:
            raise NotUnderstood(f"Its ce_time {headers['ce_time']} has no offset.")
        value = _value.decode(message.value)
        settlement = value.monetary_transaction
        return {
            "ce_id": headers["ce_id"],
            "ce_time": time.astimezone(dt.UTC),
            "family": family.value,
            "code": headers["ce_type"].rpartition(".")[2],
            "subject": headers["ce_subject"],
            "key": str(message.key),
            "transaction_id": headers.get("X-Ocs-Io-transaction-id"),
            "version": settlement.version if value.version is None and settlement else value.version,
            "schema": headers.get("ce_dataschema"),
            "value": message.value.decode(),
        }
    except KeyError as error:
        raise NotUnderstood(f"It has no header {error}.") from error
    except (ValueError, OverflowError) as error:
        raise NotUnderstood(f"It cannot be read: {error}.") from error
