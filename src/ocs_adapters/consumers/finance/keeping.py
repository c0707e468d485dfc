"""From messages to the finance system's tables: what is not newer than what is kept is ignored."""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ocs_adapters.consumers.finance.held import HeldDocument, HeldPayment, HeldSettlement
from ocs_adapters.consumers.finance.tables import documents, entities, payments, settlements
from ocs_adapters.consumers.received import NotUnderstood, Received, received, with_plain_codes
from ocs_adapters.sql.database import Transaction
from ocs_adapters.sql.drivers import Call
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.messages import Family
from ocs_core.ports import Delivered

SETTLEMENT = "monetaryTransaction"
"""The field of every link that has the settlement."""


@attrs.frozen
class KeepFinance:
    """Keeps business transactions. `zone` says what a payment's day is."""

    zone: dt.tzinfo

    def __call__(self, transaction: Transaction, messages: Sequence[Delivered]) -> None:
        """Raises `NotUnderstood` where a message lacks what is needed of it."""
        newest: dict[tuple[str, UUID], tuple[Received, bytes]] = {}
        for message in map(with_plain_codes, messages):
            told = received(message)
            if told.family is Family.BUSINESS_TRANSACTION:
                known = newest.get((told.code, told.subject))
                if known is None or known[0].version <= told.version:
                    newest[told.code, told.subject] = told, message.value
        for table, rows in self._rows(newest.values()).items():
            transaction.run([Call(_keep_newer(table), rows)])

    def _rows(self, news: Any) -> Mapping[sa.Table, Sequence[Mapping[str, Any]]]:
        rows: dict[sa.Table, list[Mapping[str, Any]]] = {}
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
            if found := self._found_by(told):
                table, row = found
                rows.setdefault(table, []).append({"ref_id": told.subject, "version": told.version, **row})
        return rows

    def _found_by(self, told: Received) -> tuple[sa.Table, Mapping[str, Any]] | None:
        try:
            if link := told.value.get(SETTLEMENT):
                return settlements, _settlement(link)
            if told.code == Document.code:
                return documents, _document(msgspec.convert(told.value, HeldDocument))
            if told.code == Payment.code:
                return payments, self._payment(msgspec.convert(told.value, HeldPayment))
        except msgspec.ValidationError as error:
            raise NotUnderstood(f"This {told.code} cannot be read: {error}.") from error
        return None

    def _payment(self, held: HeldPayment) -> Mapping[str, Any]:
        instant = held.payment_date_received or held.payment_date_sent
        return {
            "account_ref_id": held.account and held.account.ref_id,
            "payment_type": held.payment_type.value,
            "payment_method": held.payment_method,
            "currency": held.currency,
            "day": instant and instant.astimezone(self.zone).date(),
            "amount": held.payment_amount,
            "open_amount": held.remaining_amount,
            "cancelled": held.cancelled,
            "cancelled_at": held.cancelled_at,
        }


def _document(held: HeldDocument) -> Mapping[str, Any]:
    return {
        "account_ref_id": held.account.ref_id,
        "open_amount": held.due_amount,
        "cancelled": held.cancelled,
        "cancelled_at": held.cancelled_at,
    }


def _settlement(link: Any) -> Mapping[str, Any]:
    """Either side's link carries all of it."""
    held = msgspec.convert(link, HeldSettlement)
    return {
        "source_ref_id": held.source_ref_id,
        "target_ref_id": held.target_ref_id,
        "effective_at": held.effective_at,
        "cancelled_at": held.cancelled_at,
        "value": msgspec.json.encode(link).decode(),
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
