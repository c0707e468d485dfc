"""The collection run as people write it with SQLAlchemy's ORM: account by account, added up in Python, committed each."""

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session

from ocs_adapters.sql import tables
from ocs_core.messages import family_of, format_instant, headers_of

Base: Any = automap_base(metadata=tables.metadata)
Base.prepare()
Account, Payer, Outbox = Base.classes.accounts, Base.classes.payers, Base.classes.outbox
Document, Payment = Base.classes.documents, Base.classes.payments


def run(engine: sa.Engine, accounts: list[UUID], as_of: dt.datetime) -> None:
    for ref_id in accounts:
        with Session(engine) as session, session.begin():
            _calculate(session, ref_id, as_of)


def _calculate(session: Session, ref_id: UUID, as_of: dt.datetime) -> None:
    account, payer = session.get_one(Account, ref_id), session.get_one(Payer, ref_id)
    documents = session.scalars(
        sa.select(Document).where(
            Document.account_ref_id == ref_id,
            Document.currency == account.currency,
            Document.due_amount != 0,
            Document.document_type.in_(["genericInvoice", "creditNote"]),
            Document.document_issued_date <= as_of.date(),
            ~Document.cancelled,
        )
    ).all()
    payments = session.scalars(
        sa.select(Payment).where(
            Payment.account_ref_id == ref_id,
            Payment.currency == account.currency,
            Payment.remaining_amount != 0,
            Payment.payment_type == "IN",
            Payment.payment_date_received <= as_of,
            ~Payment.cancelled,
        )
    ).all()
    owed = [d for d in documents if d.due_amount_type == "AR" and d.document_due_date < as_of.date()]
    balance = sum(d.due_amount for d in owed) - sum(p.remaining_amount for p in payments)
    balance -= sum(d.due_amount for d in documents if d.due_amount_type == "LIABILITY")
    oldest = min((d.document_due_date for d in owed), default=None)
    starts = balance > 0 and not payer.in_collection
    payer.collection_balance, payer.oldest_due_date, payer.in_collection = balance, oldest, balance > 0
    payer.collection_balance_as_of, payer.collection_balance_calculated_at = as_of, dt.datetime.now(dt.UTC)
    payer.version += 1
    session.flush()
    fields = {column.name: getattr(payer, column.name) for column in Payer.__table__.columns}
    told = {"effectiveDate": as_of, "account": ref_id, "balance": balance, "oldestDocumentDueDate": oldest}
    _tell(session, ref_id, "payer", fields)
    _tell(session, ref_id, "collectionBalanceCalculated", told)
    if starts:
        _tell(session, ref_id, "collectionStart", told)


def _tell(session: Session, key: UUID, code: str, value: dict[str, Any]) -> None:
    message = uuid4()
    headers = {
        "X-Ocs-Io-transaction-id": "loop",
        **headers_of(code),
        "ce_id": str(message),
        "ce_time": format_instant(dt.datetime.now(dt.UTC)),
        "ce_subject": str(key),
    }
    session.add(
        Outbox(
            ref_id=message,
            topic=family_of(code).topic,
            key=key,
            headers=json.dumps(headers),
            value=json.dumps(value, default=str),
            share=key.int % 64,
        )
    )
