"""The figures of every payer in a file of comma-separated values."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.money import Money
from ocs_core.usecases.calculate_collection_balance import PayerCalculated, SliceDone

HEADER = ("account", "externalId", "currency", "balance", "oldestDueDate", "inCollection", "starts")


@attrs.frozen
class BalancesFile:
    """One line per payer: its refId and externalId, the balance as people write it, and whether collection starts."""

    _writer: Any
    _configuration: Configuration

    @classmethod
    @contextmanager
    def opened(cls, path: Path, configuration: Configuration) -> Iterator["BalancesFile"]:
        """What was in the file before stays there until everything is written."""
        unfinished = path.with_name(f"{path.name}.unfinished")
        try:
            file = unfinished.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        try:
            with file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(HEADER)
                yield cls(writer, configuration)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def write(self, done: SliceDone) -> None:
        self._writer.writerows(self._line(payer) for payer in done.payers)

    def _line(self, payer: PayerCalculated) -> tuple[Any, ...]:
        account, found = payer.ledger.account, payer.found
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
