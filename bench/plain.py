"""(b) The same statements in a Litestar handler with no core: the request is trusted, the rows are put together by hand.

`BENCH_STATEMENTS` names a file with the two statements that register payment sends; the handler fills in their parameters.
"""

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from litestar import Litestar, Request, post
from litestar.response.base import ASGIResponse
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from uuid_utils.compat import uuid7

THREADS = 16
statements = json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text(encoding="utf-8"))
pool = ThreadPoolExecutor(THREADS)
local = threading.local()


def connection() -> "psycopg.Connection[Any]":
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["BENCH_DATABASE"])
        local.connection.adapters.register_dumper(int, Int8Dumper)
        local.connection.adapters.register_dumper(int, Int8BinaryDumper)
    return local.connection  # type: ignore[no-any-return]


def register(body: bytes) -> bytes:
    given = msgspec.json.decode(body)
    known: dict[str, Any] = {
        "application": "bench",
        "request_id": given["requestId"],
        "account": given["account"]["externalId"],
        "payer_of": given["account"]["externalId"],
        "external_payment_no": given["externalPaymentNo"],
    }
    conn = connection()
    looked_up = psycopg.RawCursor(conn)
    read = statements["read"]
    looked_up.execute(read["sql"], [known.get(name) for name in read["names"]])
    row = looked_up.fetchone()
    assert row is not None
    operation_performed, external_payment_no_taken, account, number = row[1], row[6], row[7], row[-1]
    assert operation_performed is None
    assert external_payment_no_taken is False
    now = datetime.now(UTC)
    told = now.isoformat(timespec="microseconds")[:-6] + "Z"
    ref, history = uuid7(), [uuid7(), uuid7()]
    owner = {"refId": str(account), "externalId": known["account"]}
    payment = {
        **dict.fromkeys(statements["payment_fields"]),
        "refId": str(ref),
        "paymentNo": f"P{number:010d}",
        "externalPaymentNo": given["externalPaymentNo"],
        "paymentType": "IN",
        "paymentMethod": given["paymentMethod"],
        "paymentAmount": given["paymentAmount"],
        "remainingAmount": given["paymentAmount"],
        "currency": given["currency"],
        "paymentDateReceived": given["paymentDateReceived"],
        "account": owner,
        "cancelled": False,
        "version": 1,
    }
    entries = [
        {
            "refId": str(history[index]),
            "operationType": operation,
            "operationCode": code,
            "createdDate": told,
            "createdBy": "bench",
            "operationParameters": parameters,
            "paymentType": "IN",
            "paymentRefId": str(ref),
            "effectiveDate": told,
            "version": 1,
        }
        for index, (operation, code, parameters) in enumerate(
            [
                ("CREATED", "PAYMENT_IN_CREATED", {}),
                ("UPDATED", "PAYMENT_IN_IDENTIFIED", {"accountRefId": str(account)}),
            ]
        )
    ]
    notification = {
        "effectiveDate": told,
        "account": owner,
        "paymentType": "IN",
        "paymentAmount": given["paymentAmount"],
        "currency": given["currency"],
        "paymentDateReceived": given["paymentDateReceived"],
        "paymentRef1": None,
        "paymentRef2": None,
        "paymentRef3": None,
        "channelType": None,
    }
    answer = msgspec.json.encode(
        [
            {"name": "RegisterPayment", "seqno": 1, "object": payment, "objectType": "PaymentEx"},
            {"name": "RegisterPayment", "seqno": 2, "object": entries[0], "objectType": "PaymentHistoryEx"},
            {"name": "RegisterPayment", "seqno": 3, "object": entries[1], "objectType": "PaymentHistoryEx"},
        ]
    )
    received = datetime.fromisoformat(given["paymentDateReceived"])
    rows: dict[str, Any] = {
        "payments_0_ref_id": ref,
        "payments_0_payment_no": payment["paymentNo"],
        "payments_0_external_payment_no": given["externalPaymentNo"],
        "payments_0_payment_type": "IN",
        "payments_0_payment_method": given["paymentMethod"],
        "payments_0_payment_amount": given["paymentAmount"],
        "payments_0_remaining_amount": given["paymentAmount"],
        "payments_0_currency": given["currency"],
        "payments_0_payment_date_received": received,
        "payments_0_account_ref_id": account,
        "payments_0_cancelled": False,
        "payments_0_version": 1,
        "requests_0_application": "bench",
        "requests_0_request_id": given["requestId"],
        "requests_0_operation": "RegisterPayment",
        "requests_0_digest": b"0" * 32,
        "requests_0_ref_ids": f'["{ref}"]',
        "requests_0_performed_at": now,
        "requests_0_answer": answer.decode(),
    }
    for index, entry in enumerate(entries):
        rows |= {
            f"payment_history_{index}_ref_id": history[index],
            f"payment_history_{index}_operation_type": entry["operationType"],
            f"payment_history_{index}_operation_code": entry["operationCode"],
            f"payment_history_{index}_created_date": now,
            f"payment_history_{index}_created_by": "bench",
            f"payment_history_{index}_operation_parameters": msgspec.json.encode(entry["operationParameters"]).decode(),
            f"payment_history_{index}_payment_type": "IN",
            f"payment_history_{index}_payment_ref_id": ref,
            f"payment_history_{index}_effective_date": now,
            f"payment_history_{index}_version": 1,
        }
    messages = [
        ("payment", payment, ref, "message", "PaymentEx"),
        ("paymentHistory", entries[0], history[0], "message", "PaymentHistoryEx"),
        ("paymentHistory", entries[1], history[1], "message", "PaymentHistoryEx"),
        ("paymentReceived", notification, ref, "notification", "PaymentReceivedNotification"),
    ]
    for index, (code, value, subject, kind, schema) in enumerate(messages):
        message_id = uuid7()
        headers = {
            "X-Ocs-Io-transaction-id": given["requestId"],
            f"X-Ocs-Io-{kind}-code": code,
            f"X-Ocs-Io-{kind}-payload": schema,
            "ce_specversion": "1.0",
            "ce_id": str(message_id),
            "ce_source": "/ocs-rm",
            "ce_type": f"io.ocs.rm.{code}",
            "ce_time": told,
            "ce_subject": str(subject),
            "ce_dataschema": f"urn:ocs-rm:schema:{schema}:1",
            "content-type": "application/json",
        }
        rows |= {
            f"outbox_{index}_ref_id": message_id,
            f"outbox_{index}_topic": "ocs.rm.business-transactions",
            f"outbox_{index}_key": account,
            f"outbox_{index}_headers": msgspec.json.encode(headers).decode(),
            f"outbox_{index}_value": msgspec.json.encode(value).decode(),
            f"outbox_{index}_share": account.int % 64,
        }
    write = statements["write"]
    psycopg.RawCursor(conn).execute(write["sql"], [rows.get(name) for name in write["names"]])
    conn.commit()
    return answer


@post("/v1/rm/payments/register-payment", status_code=200)
async def handle(request: Request[Any, Any, Any]) -> ASGIResponse:
    body = await request.body()
    answer = await asyncio.get_running_loop().run_in_executor(pool, register, body)
    return ASGIResponse(body=answer, media_type="application/json")


app = Litestar([handle], openapi_config=None, logging_config=None)
