"""The figures of every payer in a file, of comma-separated values or Parquet."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import attrs

from ocs_adapters.cli.commands import Refused
from ocs_adapters.cli.csv_cells import guarded
from ocs_core.entities.configuration import Configuration
from ocs_core.money import Money
from ocs_core.usecases.calculate_collection_balance import PayerCalculated, SliceDone

HEADER = ("account", "externalId", "currency", "balance", "oldestDueDate", "inCollection", "starts")


class BalancesFile(Protocol):
    """One line per payer: its refId and externalId, the balance, and whether collection starts."""

    def write(self, done: SliceDone) -> None:
        """Add the payers of a slice."""


@contextmanager
def csv_file(path: Path, configuration: Configuration) -> Iterator[BalancesFile]:
    """A file of comma-separated values, balances as people write them. Raises `OSError`."""
    with _replacing(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        yield _Lines(writer, configuration)


@contextmanager
def parquet_file(path: Path) -> Iterator[BalancesFile]:
    """A Parquet file, balances as decimals of six digits. Raises `OSError`, and `Refused` where pyarrow is not installed."""
    try:
        from ocs_adapters.cli.parquet import writing
    except ImportError:
        raise Refused("--parquet needs pyarrow; install ocs-rm[warehouse].") from None
    with _replacing(path, "wb") as file, writing(file) as rows:
        yield rows


@contextmanager
def _replacing(path: Path, mode: str, **options: Any) -> Iterator[Any]:
    """What was in the file before stays there until everything is written."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        file = unfinished.open(mode, **options)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@attrs.frozen
class _Lines:
    _writer: Any
    _configuration: Configuration

    def write(self, done: SliceDone) -> None:
        self._writer.writerows(guarded(self._line(payer)) for payer in done.payers)

    def _line(self, payer: PayerCalculated) -> tuple[Any, ...]:
        account, found = payer.account, payer.found
        currency = self._configuration.currencies.get(account.currency)
        amount = Money(found.balance, account.currency).format(currency.minor_digits if currency else 2)
        return (
            account.ref_id,
            account.external_id,
            account.currency,
            amount.split()[0],
            found.oldest_due_date,
            str(payer.in_collection).lower(),
            str(payer.starts).lower(),
        )
