"""The manifest as the warehouse works with it. Exactly the files that it lists hold the messages, each once."""

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa

from ocs_adapters.consumers.warehouse.tables import files, gone
from ocs_adapters.sql.database import Database, Transaction
from ocs_adapters.sql.drivers import Call, Row
from ocs_adapters.sql.reading import reader, value_reader

_ALL = sa.select(files.c.ref_id, files.c.day, files.c.rows, files.c.bytes).order_by(files.c.day, files.c.ref_id)
_KNOWN: Any = functools.cache(lambda driver: _ALL.where(driver.one_of(files.c.ref_id, "ids")))
_GONE = sa.select(gone.c.ref_id, gone.c.day)
_FORGET_GONE = sa.delete(gone)
_STRIKE = sa.delete(files).where(files.c.ref_id == sa.bindparam("file"))
_DAYS = (
    sa.select(files.c.day)
    .where(files.c.rows < sa.bindparam("below"))
    .group_by(files.c.day)
    .having(sa.func.count() >= sa.bindparam("count"))
    .order_by(files.c.day)
)
_SMALL = _ALL.where(files.c.day == sa.bindparam("of"), files.c.rows < sa.bindparam("below"))


@attrs.frozen(kw_only=True)
class File:
    """A file of messages of one day; later ones have greater ids."""

    ref_id: UUID
    day: dt.date
    rows: int
    bytes: int


@attrs.frozen(eq=False)
class Manifest:
    """The list of files in the consumer's database."""

    database: Database

    def all(self) -> Sequence[File]:
        """Every file, the oldest day first."""
        (rows,) = self.database.read(Call(_ALL))
        return self._files(rows)

    def known(self, ref_ids: Collection[UUID]) -> Sequence[File]:
        """Those of these files that are listed."""
        driver = self.database.driver
        (rows,) = self.database.read(Call(_KNOWN(driver), {"ids": driver.bind_list(list(ref_ids))}))
        return self._files(rows)

    def days_of_small(self, below: int, count: int) -> Sequence[dt.date]:
        """The days that have at least `count` files of less than `below` rows."""
        (rows,) = self.database.read(Call(_DAYS, {"below": below, "count": count}))
        read = value_reader(dt.date, self.database.driver)
        return [read(day) for (day,) in rows]

    def small(self, day: dt.date, below: int) -> Sequence[File]:
        """A day's files of less than `below` rows, the oldest first."""
        (rows,) = self.database.read(Call(_SMALL, {"of": day, "below": below}))
        return self._files(rows)

    def add(self, transaction: Transaction, new: Sequence[File]) -> None:
        """List files, if the transaction is committed."""
        transaction.run(self.database.driver.insert({files: [attrs.asdict(file) for file in new]}))

    def replace(self, old: Sequence[File], new: File) -> None:
        """List one file in the place of others, which are to be removed then."""
        with self.database.transaction() as transaction:
            self.add(transaction, [new])
            self._say_gone(transaction, old)
            transaction.run([Call(_STRIKE, [{"file": file.ref_id} for file in old])], commit=True)

    def say_all_gone(self) -> None:
        """Every file is to be removed as soon as it is not listed any more."""
        listed = self.all()
        with self.database.transaction() as transaction:
            self._say_gone(transaction, listed)
            transaction.run([], commit=True)

    def gone(self) -> Sequence[File]:
        """The files that are to be removed; never one that is listed."""
        (rows,) = self.database.read(Call(_GONE))
        found = self._files([(*row, 0, 0) for row in rows])
        kept = {file.ref_id for file in self.known([file.ref_id for file in found])} if found else set()
        return [file for file in found if file.ref_id not in kept]

    def forget_gone(self) -> None:
        """Nothing is to be removed any more."""
        self.database.write(Call(_FORGET_GONE))

    def _say_gone(self, transaction: Transaction, old: Sequence[File]) -> None:
        if old:
            rows = [{"ref_id": file.ref_id, "day": file.day} for file in old]
            transaction.run(self.database.driver.insert({gone: rows}))

    def _files(self, rows: Iterable[Row]) -> Sequence[File]:
        return list(map(reader(File, self.database.driver), rows))
