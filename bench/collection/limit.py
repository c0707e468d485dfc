"""What the databases can do: a collection run as set-based SQL, written by hand for the bench's company.

It changes the same columns and writes the same rows of the same length as a run over every payer, committed. On PostgreSQL it
is one statement, on SQLite three in one transaction. Of the library it uses nothing but the names of topics and headers.
"""

import datetime as dt
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import attrs
import psycopg

from ocs_adapters.sql.drivers import SqliteDriver
from ocs_core.messages import family_of, format_instant, headers_of

EVERYBODY = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
"""The ids of the first and of the last account that there may be."""

# What was touched after T is found by its settlements, all other open items by their partial indices.
_FIGURES = """
WITH touched AS (
    SELECT source_ref_id, target_ref_id, CASE WHEN cancelled THEN -amount ELSE amount END AS amount FROM settlements
    WHERE (NOT cancelled AND effective_at > '{as_of}') OR (cancelled_at > '{as_of}' AND effective_at <= '{as_of}')
),
corrections AS MATERIALIZED (
    SELECT item, CAST(sum(amount) AS BIGINT) AS amount
    FROM (SELECT source_ref_id AS item, amount FROM touched UNION ALL SELECT target_ref_id, amount FROM touched) AS sides
    GROUP BY item
),
documents_at AS (
    SELECT account_ref_id, currency, document_type, document_issued_date, document_due_date, due_amount_type, cancelled,
        cancelled_at, due_amount AS open
    FROM documents
    WHERE due_amount <> 0 AND account_ref_id BETWEEN '{low}' AND '{high}' AND ref_id NOT IN (SELECT item FROM corrections)
    UNION ALL
    SELECT account_ref_id, currency, document_type, document_issued_date, document_due_date, due_amount_type, cancelled,
        cancelled_at, due_amount + amount
    FROM corrections JOIN documents ON ref_id = item
    WHERE account_ref_id BETWEEN '{low}' AND '{high}'
),
payments_at AS (
    SELECT account_ref_id, currency, payment_type, payment_date_received, payment_date_sent, cancelled, cancelled_at,
        remaining_amount AS open
    FROM payments
    WHERE remaining_amount <> 0 AND account_ref_id BETWEEN '{low}' AND '{high}'
        AND ref_id NOT IN (SELECT item FROM corrections)
    UNION ALL
    SELECT account_ref_id, currency, payment_type, payment_date_received, payment_date_sent, cancelled, cancelled_at,
        remaining_amount + amount
    FROM corrections JOIN payments ON ref_id = item
    WHERE account_ref_id BETWEEN '{low}' AND '{high}'
),
items AS (
    SELECT account_ref_id, currency, CASE WHEN due_amount_type = 'AR' THEN open ELSE -open END AS owed,
        CASE WHEN due_amount_type = 'AR' THEN document_due_date END AS due
    FROM documents_at
    WHERE open <> 0 AND document_type IN ('genericInvoice', 'creditNote') AND document_issued_date <= '{today}'
        AND (due_amount_type = 'LIABILITY' OR document_due_date < '{today}') AND (NOT cancelled OR cancelled_at > '{as_of}')
    UNION ALL
    SELECT account_ref_id, currency, CASE WHEN payment_type = 'IN' THEN -open ELSE open END, NULL FROM payments_at
    WHERE open > 0 AND payment_type IN ('IN', 'OUT')
        AND CASE WHEN payment_type = 'IN' THEN payment_date_received ELSE payment_date_sent END <= '{as_of}'
        AND (NOT cancelled OR cancelled_at > '{as_of}')
),
sums AS (
    SELECT account_ref_id, currency, CAST(sum(owed) AS BIGINT) AS balance, min(due) AS oldest FROM items
    GROUP BY account_ref_id, currency
),
balances AS (
    SELECT ref_id, external_id, account_type, accounts.currency, coalesce(balance, 0) AS balance, oldest,
        coalesce(balance > 0 AND oldest IS NOT NULL, FALSE) AS due
    FROM accounts LEFT JOIN sums ON account_ref_id = ref_id AND sums.currency = accounts.currency
    WHERE state <> 'DEACTIVATED' AND ref_id BETWEEN '{low}' AND '{high}'
),
figures AS MATERIALIZED (
    SELECT balances.*, due AND NOT in_collection AS starts,
        collection_balance IS DISTINCT FROM balance OR oldest_due_date IS DISTINCT FROM oldest OR in_collection <> due
        AS changed
    FROM balances JOIN payers ON account_ref_id = ref_id
)"""

_KEEP = "CREATE TEMPORARY TABLE figures AS {figures} SELECT * FROM figures"

_SAVE = """
UPDATE payers SET collection_balance = balance, oldest_due_date = oldest, in_collection = due,
    collection_balance_as_of = '{as_of}', collection_balance_calculated_at = '{now}', version = version + 1
FROM figures WHERE account_ref_id = ref_id AND changed
"""

_TELL = """
INSERT INTO outbox (ref_id, topic, key, headers, value, share)
SELECT id, topic, key, before || id || '","ce_time":"{now}","ce_subject":"' || key || '"}}', value, {share}
FROM (
    SELECT {new_id} AS id, {payer}, account_ref_id AS key, {payer_value} AS value
    FROM {saved}
    UNION ALL
    SELECT {new_id}, {calculated}, ref_id, {calculated_value} FROM figures
    UNION ALL
    SELECT {new_id}, {start}, ref_id, {start_value} FROM figures WHERE starts
) AS told
"""

_PAYER = {
    "accountType": "text",
    "paymentMethod": "text",
    "deliveryMethod": "text",
    "invoicingExcluded": "boolean",
    "invoicingExcludedTo": "instant",
    "dueDateOffset": "number",
    "dueDateOffsets": "raw",
    "bankAccountName": "text",
    "bankAccountNumber": "text",
    "bankNumberCode": "text",
    "iban": "text",
    "bic": "text",
    "bankAccountNumberDirectDebit": "text",
    "bankNumberCodeDirectDebit": "text",
    "bankAccountNumberDirectDebitProvider": "text",
    "bankNumberCodeDirectDebitProvider": "text",
    "paymentRef1": "text",
    "paymentRef2": "text",
    "paymentRef3": "text",
    "collectionBalance": "number",
    "oldestDueDate": "day",
    "inCollection": "boolean",
    "collectionBalanceAsOf": "as_of",
    "collectionBalanceCalculatedAt": "now",
    "version": "number",
}
"""What a payer's message tells beside its account, and how it is written."""


@attrs.frozen(kw_only=True)
class _Dialect:
    """How a database writes JSON (each takes an expression), makes ids, and finds a key's share."""

    text: str
    number: str
    day: str
    instant: str
    new_id: str
    share: str
    saved: str
    boolean: str = "CASE WHEN {} THEN 'true' ELSE 'false' END"
    raw: str = "{}"

    def statements(self, as_of: dt.datetime, now: dt.datetime, transaction_id: str, low: str, high: str) -> list[str]:
        """The figures, the update, the messages."""
        told = {"payer": "payer", "calculated": "collectionBalanceCalculated", "start": "collectionStart"}
        constants = {
            "as_of": format_instant(as_of),
            "now": format_instant(now),
            "today": as_of.date().isoformat(),
            "low": low,
            "high": high,
            "new_id": self.new_id,
            "share": self.share,
            "saved": self.saved,
            "payer_value": self._payer(as_of, now),
            "calculated_value": self._notification("collectionBalance", as_of),
            "start_value": self._notification("dueAmount", as_of),
            **{name: _topic_and_headers(code, transaction_id) for name, code in told.items()},
        }
        return [statement.format(**constants) for statement in (_FIGURES, _SAVE, _TELL)]

    def _payer(self, as_of: dt.datetime, now: dt.datetime) -> str:
        kinds = {**attrs.asdict(self), "as_of": _instant(as_of), "now": _instant(now)}
        fields = {name: kinds[kind].format(_column(name)) for name, kind in _PAYER.items()}
        ref_id = """'"' || account_ref_id || '"'"""
        return self._object({"account": self._account("account_ref_id"), **fields, "refId": ref_id})

    def _notification(self, amount: str, as_of: dt.datetime) -> str:
        return self._object(
            {
                "effectiveDate": _instant(as_of),
                "account": self._account("ref_id"),
                "currency": self.text.format("currency"),
                amount: self.number.format("balance"),
                "oldestDocumentDueDate": self.day.format("oldest"),
            }
        )

    def _account(self, ref_id: str) -> str:
        return self._object({"refId": f"""'"' || {ref_id} || '"'""", "externalId": self.text.format("external_id")})

    @staticmethod
    def _object(fields: Mapping[str, str]) -> str:
        """An expression that writes an object: for each name, an expression that writes its value."""
        pieces = [f"""'{"," if n else "{"}"{name}":' || {value}""" for n, (name, value) in enumerate(fields.items())]
        return " || ".join((*pieces, "'}'"))


def _instant(instant: dt.datetime) -> str:
    return f"""'"{format_instant(instant)}"'"""


def _column(name: str) -> str:
    """`paymentRef1` → `payment_ref1`."""
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)


def _topic_and_headers(code: str, transaction_id: str) -> str:
    """The topic, and the headers as far as the message's id."""
    headers = {"X-Ocs-Io-transaction-id": transaction_id, **headers_of(code), "ce_id": ""}
    written = json.dumps(headers, separators=(",", ":")).removesuffix('"}')
    return f"'{family_of(code).topic}' AS topic, '{written}' AS before"


_POSTGRES = _Dialect(
    text="coalesce(to_json({})::text, 'null')",
    number="coalesce({}::text, 'null')",
    day="""coalesce('"' || {} || '"', 'null')""",
    instant="""coalesce('"' || to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"', 'null')""",
    new_id="gen_random_uuid()",
    share="('x' || right(key::text, 2))::bit(8)::int & 63",
    saved="saved",
)
_SQLITE = _Dialect(
    text="json_quote({})",
    number="coalesce({}, 'null')",
    day="json_quote({})",
    instant="json_quote({})",
    new_id="lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || "
    "hex(randomblob(2)) || '-' || hex(randomblob(6)))",
    share="((instr('0123456789abcdef', substr(key, 35, 1)) - 1) * 16 + "
    "instr('0123456789abcdef', substr(key, 36, 1)) - 1) & 63",
    saved="figures JOIN payers ON account_ref_id = ref_id WHERE changed",
)


def on_postgres(url: str, ranges: Sequence[tuple[str, str]], **told: Any) -> None:
    """A whole run, committed: a connection for each range of accounts, all at once."""
    statements = []
    for low, high in ranges:
        figures, save, tell = _POSTGRES.statements(low=low, high=high, **told)
        statements.append(f"{figures}, saved AS ({save} RETURNING payers.*, external_id, account_type) {tell}")
    with ThreadPoolExecutor(len(statements)) as pool:
        list(pool.map(lambda statement: _committed(url, statement), statements))


def _committed(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def on_sqlite(file: str, **told: Any) -> None:
    """A whole run, committed."""
    figures, save, tell = _SQLITE.statements(low=EVERYBODY[0], high=EVERYBODY[1], **told)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        SqliteDriver.prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_KEEP.format(figures=figures))
        connection.execute(save)
        connection.execute(tell)
        connection.execute("COMMIT")
