"""From messages to the finance system's tables: what is not newer than what is kept is ignored."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ocs_adapters.consumers.finance.tables import documents, entities, payments
from ocs_adapters.consumers.received import NotUnderstood, Received, received
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_core.messages import Family
from ocs_core.ports import Delivered


@attrs.frozen
class KeepFinance:
    """Keeps business transactions. `zone` says what a payment's day is."""

    zone: dt.tzinfo

    def __call__(self, transaction: Transaction, messages: Sequence[Delivered]) -> None:
        """Raises `NotUnderstood` where a message lacks what is needed of it."""
        newest: dict[tuple[str, UUID], tuple[Received, bytes]] = {}
        for message in messages:
            told = received(message)
            if told.family is Family.BUSINESS_TRANSACTION:
                known = newest.get((told.code, told.subject))
                if known is None or known[0].version <= told.version:
                    newest[told.code, told.subject] = told, message.value
        for table, rows in self._rows(newest.values()).items():
            transaction.run([Call(_keep_newer(table), rows)])

    def _rows(self, news: Any) -> Mapping[sa.Table, Sequence[Mapping[str, Any]]]:
        rows: dict[sa.Table, list[Mapping[str, Any]]] = {}
        further: Mapping[str, tuple[sa.Table, Callable[[Any], Mapping[str, Any]]]] = {
            "document": (documents, self._document),
            "payment": (payments, self._payment),
        }
        for told, value in news:
            rows.setdefault(entities, []).append(
                {
                    "code": told.code,
                    "ref_id": told.subject,
                    "version": told.version,
                    "changed_at": told.time,
                    "value": value.decode(),
                }
            )
            if told.code in further:
                table, of = further[told.code]
                try:
                    row = {"ref_id": told.subject, "version": told.version, **of(told.value)}
                except (KeyError, TypeError, ValueError) as error:
                    raise NotUnderstood(f"This {told.code} cannot be read: {error!r}.") from error
                rows.setdefault(table, []).append(row)
        return rows

    def _document(self, value: Any) -> Mapping[str, Any]:
        return {
            "due_amount_type": value["dueAmountType"],
            "currency": value["currency"],
            "due_date": dt.date.fromisoformat(value["documentDueDate"]),
            "due_amount": value["dueAmount"],
            "cancelled": value["cancelled"],
        }

    def _payment(self, value: Any) -> Mapping[str, Any]:
        account, instant = value.get("account"), value.get("paymentDateReceived") or value.get("paymentDateSent")
        return {
            "account_ref_id": account and UUID(account["refId"]),
            "payment_type": value["paymentType"],
            "payment_method": value["paymentMethod"],
            "currency": value["currency"],
            "day": instant and dt.datetime.fromisoformat(instant).astimezone(self.zone).date(),
            "amount": value["paymentAmount"],
            "cancelled": value["cancelled"],
        }


@functools.cache
def _keep_newer(table: sa.Table) -> Any:
    """The same version may come again with another content: what was repaired is published under its version."""
    insert = postgresql.insert(table).values({c.name: sa.bindparam(c.name) for c in table.columns})
    given = [c.name for c in table.columns if not c.primary_key]
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: insert.excluded[name] for name in given},
        where=insert.excluded.version >= table.c.version,
    )
