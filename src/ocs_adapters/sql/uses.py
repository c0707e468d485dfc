"""Whether anything that is kept goes by an entry of the configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql import tables
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_core.configuring import Use


def _one_with(column: Any) -> Any:
    return sa.select(sa.literal(1)).where(column == bindparam("code")).limit(1)


_WITH_A_CURRENCY = (tables.accounts, tables.payments, tables.documents, tables.chargeable_events)
_USES: Mapping[str, Sequence[Any]] = {
    "account_types": [_one_with(tables.accounts.c.account_type)],
    "currencies": [_one_with(table.c.currency) for table in _WITH_A_CURRENCY],
}
"""What finds one row that goes by an entry. Currencies have no index: who changes one waits for a look at all rows."""


def is_used(transaction: Transaction, use: Use) -> bool:
    return any(transaction.run([Call(query, {"code": use.code}) for query in _USES[use.kind]]))
