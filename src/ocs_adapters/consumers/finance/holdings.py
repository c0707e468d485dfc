"""What the finance system holds of every entity, for whoever compares it."""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

import msgspec
import sqlalchemy as sa

from ocs_adapters.consumers.finance.tables import entities
from ocs_adapters.serial.digest import digest
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.drivers import Call
from ocs_adapters.sql.holdings import PAGE, Holding
from ocs_adapters.sql.reading import value_reader

_PAGE = (
    sa.select(entities.c.ref_id, entities.c.version, entities.c.value, entities.c.changed_at)
    .where(
        entities.c.code == sa.bindparam("of"), entities.c.ref_id > sa.bindparam("after", type_=entities.c.ref_id.type)
    )
    .order_by(entities.c.ref_id)
    .limit(PAGE)
)


def holdings(database: Database, code: str) -> Iterator[Holding]:
    """The entities of a code, in the order of their ids, page by page as they are then."""
    read_id, read_instant = value_reader(UUID, database.driver), value_reader(dt.datetime, database.driver)
    after = UUID(int=0)
    while True:
        (rows,) = database.read(Call(_PAGE, {"of": code, "after": after}))
        for ref_id, version, value, changed_at in rows:
            after = read_id(ref_id)
            content = digest(msgspec.json.decode(value))
            yield Holding(code=code, ref_id=after, version=version, digest=content, told_at=read_instant(changed_at))
        if len(rows) < PAGE:
            return
