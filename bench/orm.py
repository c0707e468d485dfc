"""(c) FastAPI with pydantic and SQLAlchemy's ORM, as people write it: the same tables, the same rules in few words."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt
from sqlalchemy import create_engine, func, select
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from ocs_adapters.sql import tables

engine = create_engine(os.environ["BENCH_DATABASE"].replace("postgresql://", "postgresql+psycopg://"), pool_size=24)
Base: Any = automap_base(metadata=tables.metadata)
Base.prepare()
Account, Payer, Payment = Base.classes.accounts, Base.classes.payers, Base.classes.payments
History, Request, Outbox = Base.classes.payment_history, Base.classes.requests, Base.classes.outbox
sessions = sessionmaker(engine)
app = FastAPI()


class AccountName(BaseModel):
    externalId: str


class RegisterPayment(BaseModel):
    requestId: str
    account: AccountName
    externalPaymentNo: str
    paymentAmount: PositiveInt
    currency: str
    paymentMethod: str
    paymentDateReceived: datetime


class Step(BaseModel):
    name: str
    seqno: int
    object: dict[str, Any]
    objectType: str


def session() -> Iterator[Session]:
    with sessions() as opened, opened.begin():
        yield opened


def _fields(entity: Any) -> dict[str, Any]:
    return {c.name: getattr(entity, c.name) for c in entity.__table__.columns}


def _text(entity: Any) -> str:
    return json.dumps(_fields(entity), default=str)


@app.post("/v1/rm/payments/register-payment", response_model=list[Step])
def register(body: RegisterPayment, db: Annotated[Session, Depends(session)]) -> list[Step]:
    if db.get(Request, ("bench", body.requestId)):
        raise HTTPException(409)
    account = db.scalar(
        select(Account).where(Account.external_id == body.account.externalId).with_for_update(read=True)
    )
    if account is None or account.state == "DEACTIVATED" or db.get(Payer, account.ref_id) is None:
        raise HTTPException(400)
    if db.scalar(select(Payment.ref_id).where(Payment.external_payment_no == body.externalPaymentNo)):
        raise HTTPException(400)
    now = datetime.now(UTC)
    payment = Payment(
        ref_id=uuid7(),
        payment_no=f"P{db.scalar(func.nextval('payment_numbers')):010d}",
        external_payment_no=body.externalPaymentNo,
        payment_type="IN",
        payment_method=body.paymentMethod,
        payment_amount=body.paymentAmount,
        remaining_amount=body.paymentAmount,
        currency=body.currency,
        payment_date_received=body.paymentDateReceived,
        account_ref_id=account.ref_id,
        cancelled=False,
        version=1,
    )
    db.add(payment)
    history = [
        History(
            ref_id=uuid7(),
            operation_type=operation,
            operation_code=code,
            created_date=now,
            created_by="bench",
            operation_parameters="{}",
            payment_type="IN",
            payment_ref_id=payment.ref_id,
            effective_date=now,
            version=1,
        )
        for operation, code in [("CREATED", "PAYMENT_IN_CREATED"), ("UPDATED", "PAYMENT_IN_IDENTIFIED")]
    ]
    db.add_all(history)
    steps = [
        Step(name="RegisterPayment", seqno=n, object=_fields(entity), objectType=kind)
        for n, (entity, kind) in enumerate(
            [(payment, "PaymentEx"), *((h, "PaymentHistoryEx") for h in history)], start=1
        )
    ]
    for entity in (payment, *history, payment):
        headers = {"ce_id": str(uuid7()), "ce_subject": str(entity.ref_id), "ce_time": now.isoformat()}
        db.add(
            Outbox(
                ref_id=headers["ce_id"],
                topic="ocs.rm.business-transactions",
                key=account.ref_id,
                headers=json.dumps(headers),
                value=_text(entity),
                share=account.ref_id.int % 64,
            )
        )
    db.add(
        Request(
            application="bench",
            request_id=body.requestId,
            operation="RegisterPayment",
            digest=b"0" * 32,
            ref_ids=f'["{payment.ref_id}"]',
            performed_at=now,
            answer=json.dumps([step.model_dump(mode="json") for step in steps]),
        )
    )
    return steps
