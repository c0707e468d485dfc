"""How items are named in a query: an account by one of its ids; a payment or a document by all names that are given."""

from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import bindparam

from ocs_adapters.sql.rows import Rows, rows_of
from ocs_core.entities.account import Account, AccountName
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document, DocumentName
from ocs_core.entities.payment import Payment, PaymentName
from ocs_core.entities.settlement import Settlement

ACCOUNT = rows_of(Account)
PAYMENT, DOCUMENT = rows_of(Payment), rows_of(Document)
EVENT, SETTLEMENT = rows_of(ChargeableEvent), rows_of(Settlement)


def id_of(account: AccountName) -> tuple[str, Any]:
    """By which column an account is looked up, and its value there."""
    return ("ref_id", account.ref_id) if account.ref_id else ("external_id", account.external_id)


@attrs.frozen
class Named:
    """An item as it is named: by which columns, and the values, bound under names of the item's own."""

    rows: Rows[Any]
    names: tuple[str, ...]
    values: Mapping[str, Any]

    @classmethod
    def by(cls, rows: Rows[Any], given: Mapping[str, Any]) -> "Named | None":
        values = {f"{rows.table.name}_{name}": value for name, value in given.items() if value is not None}
        return cls(rows, tuple(n for n, value in given.items() if value is not None), values) if values else None


def payment(name: PaymentName | None) -> Named | None:
    return Named.by(PAYMENT, attrs.asdict(name)) if name else None


def document(name: DocumentName | None) -> Named | None:
    return Named.by(DOCUMENT, attrs.asdict(name)) if name else None


def is_named(rows: Rows[Any], names: tuple[str, ...], table: Any) -> Any:
    """All names are the item's own; of the index of external payment numbers its own condition is said."""
    conditions = [table.c[name] == bindparam(f"{rows.table.name}_{name}") for name in names]
    if "external_payment_no" in names:
        conditions.append(table.c.payment_type == sa.literal_column("'IN'"))
    return sa.and_(*conditions)


def column_of(rows: Rows[Any], names: tuple[str, ...], column: str) -> Any:
    """A column of the item that is named, as a value in another query."""
    sought = rows.table.alias(f"sought_{rows.table.name}")
    return sa.select(sought.c[column]).where(is_named(rows, names, sought)).scalar_subquery()
