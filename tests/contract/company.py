"""A company made up for measuring: payers with their documents, payments and settlements around the instant `T`.

The same number of payers is the same company every time, on PostgreSQL and on SQLite: every figure follows from a payer's
number and a document's, without a generator of random numbers. Documents are skewed as people are: a payer's rank r among N
has 2.9·(N/r)^¾ of them, 2 at the least and 10 on average. The first has as many as there are payers below 100,000 (a tenth of
them) and 100,000 from there on, all of them open. Of the others' documents four in five are settled by a payment of their
own; about two items a payer are open. The rest is what a run has to get right: items in other currencies, in part settled,
overpaid, cancelled, not yet issued or due, and settlements that took effect or were cancelled only after `T`.
"""

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ocs_adapters.sql import tables
from ocs_core.messages import format_instant

T = dt.datetime(2024, 5, 14, 10, 0, tzinfo=dt.UTC)
LOADED = (tables.accounts, tables.payers, tables.documents, tables.payments, tables.settlements)

# `ref`, `day`, `moment` and `documents_of` are what the databases do not say alike; the rest of the SQL is for both.
_FUNCTIONS = """
CREATE FUNCTION ref(kind int, number bigint) RETURNS uuid STABLE LANGUAGE sql AS
    $$ SELECT ('01900000-0000-700' || kind || '-8000-' || lpad(to_hex(number), 12, '0'))::uuid $$;
CREATE FUNCTION day(ago bigint) RETURNS date STABLE LANGUAGE sql AS
    $$ SELECT DATE '2024-05-14' - ago::int $$;
CREATE FUNCTION moment(hours bigint) RETURNS timestamptz STABLE LANGUAGE sql AS
    $$ SELECT TIMESTAMPTZ '2024-05-14 10:00:00+00' + hours * INTERVAL '1 hour' $$;
CREATE FUNCTION documents_of(rank bigint, payers bigint) RETURNS bigint STABLE LANGUAGE sql AS
    $$ SELECT CASE WHEN rank > 1 THEN floor(2.9 * power(payers::float / rank, 0.75))
                   WHEN payers < 100000 THEN payers / 10 ELSE 100000 END::bigint $$;
"""
_DROP_FUNCTIONS = "DROP FUNCTION ref, day, moment, documents_of"


def _documents_of(rank: int, payers: int) -> int:
    if rank > 1:
        return int(2.9 * (payers / rank) ** 0.75)
    return payers // 10 if payers < 100_000 else 100_000


_REF = "01900000-0000-700{}-8000-{:012x}"
_SQLITE_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "ref": (2, _REF.format),
    "day": (1, functools.cache(lambda ago: (T.date() - dt.timedelta(days=ago)).isoformat())),
    "moment": (1, functools.cache(lambda hours: format_instant(T + dt.timedelta(hours=hours)))),
    "documents_of": (2, _documents_of),
}

# A payer's rank has nothing to do with its number. (The factor is a prime: every rank comes up once.)
_COMPANY = """
CREATE TEMPORARY TABLE company AS
WITH RECURSIVE numbers(payer) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT payer + 1 FROM numbers WHERE payer < :payers)
SELECT payer, 1 + payer * 618034003 % :payers AS rank, documents_of(1 + payer * 618034003 % :payers, :payers) AS documents,
    CASE payer % 20 WHEN 0 THEN 'JPY' WHEN 1 THEN 'USD' WHEN 2 THEN 'USD' ELSE 'EUR' END AS currency
FROM numbers
"""

# A document with the payment that may have paid it. Everybody's first documents come first, then the second ones: rows lie
# in the tables as they do where months of business lie, no payer's together. Squares modulo a prime serve as chance.
_PAIRS = """
CREATE TEMPORARY TABLE pairs AS
WITH RECURSIVE numbered(payer, rank, currency, documents, number) AS (
    SELECT payer, rank, currency, documents, CAST(1 AS BIGINT) FROM company
    UNION ALL
    SELECT payer, rank, currency, documents, number + 1 FROM numbered WHERE number < documents
),
seeded AS (
    SELECT payer, rank, currency, number, (payer * 7919 + number * 104729 + 271828) % 2147483647 AS seed FROM numbered
),
drawn AS (
    SELECT payer, rank, currency, number, seed * seed % 2147483647 AS one,
        (seed + 77777) * (seed + 77777) % 2147483647 AS two, (seed + 555555) * (seed + 555555) % 2147483647 AS three
    FROM seeded
)
SELECT row_number() OVER () AS id, payer,
    CASE WHEN rank = 1 THEN 0 ELSE one % 1000 END AS fate,
    (1 + two % 400) * 1000000 AS amount,
    (two / 400) % 200 + 1 AS hours_after,
    CASE WHEN two / 100000 % 50 > 0 THEN currency WHEN currency = 'USD' THEN 'EUR' ELSE 'USD' END AS currency,
    (number - 1) % 24 * 30 + three % 30 - 3 AS age,
    ((number - 1) % 24 * 30 + three % 30 + 1) * 12 AS hours_ago,
    CASE WHEN three / 100 % 100 < 88 THEN 'genericInvoice' WHEN three / 100 % 100 < 95 THEN 'creditNote'
        ELSE 'deposit' END AS type
FROM drawn
"""

_ACCOUNTS = """
INSERT INTO accounts (ref_id, external_id, account_type, currency, payer_account_ref_id, state, version)
SELECT ref(0, payer), 'A-' || payer, 'payer', currency, ref(0, payer),
    CASE WHEN payer % 100 = 99 THEN 'DEACTIVATED' ELSE 'ACTIVE' END, 1
FROM company
"""

PAYERS = """
INSERT INTO payers (account_ref_id, payment_method, delivery_method, invoicing_excluded, due_date_offsets, in_collection,
    version)
SELECT ref_id, 'bankTransfer', 'email', FALSE, '{}', FALSE, 1 FROM accounts
"""
"""Every payer as it is before the first run."""

# Fates: below 140 nothing was paid; 140 to 169 half was, 170 to 199 too much; 200 to 204 only after T; 205 to 214 it was taken
# back, first after T, then before, and one payment of each has moved to the next payer since; 215 to 219 the document was
# cancelled, first before T, then after; 220 to 224 the payment does not settle it: cancelled, unidentified, received after
# T, promised, sent; all others are settled.
_DOCUMENTS = """
INSERT INTO documents (ref_id, document_no, document_type, account_ref_id, currency, document_issued_date,
    document_tax_date, document_due_date, total_amount, total_amount_tax, total_amount_net, rounding_compensation,
    due_amount, due_amount_type, cancelled, cancel_reason, cancelled_at, version)
SELECT ref(1, id), 'D' || id, type, ref(0, payer), currency, day(age), day(age), day(age - 14), amount, 0, amount, 0,
    CASE WHEN fate < 140 OR fate BETWEEN 205 AND 224 THEN amount
        WHEN fate < 170 THEN amount / 2000000 * 1000000 ELSE 0 END,
    CASE WHEN type = 'creditNote' THEN 'LIABILITY' ELSE 'AR' END,
    fate BETWEEN 215 AND 219,
    CASE WHEN fate BETWEEN 215 AND 219 THEN 'mistake' END,
    CASE WHEN fate BETWEEN 215 AND 217 THEN moment(-hours_ago) WHEN fate BETWEEN 218 AND 219 THEN moment(hours_after) END,
    1
FROM pairs
"""

_PAYMENTS = """
INSERT INTO payments (ref_id, payment_no, payment_type, payment_method, payment_amount, remaining_amount, currency,
    payment_date_received, payment_date_sent, account_ref_id, cancelled, cancel_reason, cancelled_at, version)
SELECT ref(2, id), 'P' || id, CASE fate WHEN 223 THEN 'PROMISE_TO_PAY' WHEN 224 THEN 'OUT' ELSE 'IN' END, 'bankTransfer',
    paid, CASE WHEN fate BETWEEN 205 AND 224 THEN paid WHEN fate BETWEEN 170 AND 199 THEN 5000000 ELSE 0 END, currency,
    CASE WHEN fate <> 224 THEN moment(CASE WHEN fate IN (204, 222) THEN hours_after ELSE -hours_ago END) END,
    CASE WHEN fate = 224 THEN moment(CASE WHEN id % 2 = 0 THEN hours_after ELSE -hours_ago END) END,
    CASE WHEN fate IN (205, 210) THEN ref(0, payer % :payers + 1) WHEN fate <> 221 THEN ref(0, payer) END,
    fate = 220, CASE WHEN fate = 220 THEN 'mistake' END, CASE WHEN fate = 220 THEN moment(-hours_ago / 2) END, 1
FROM (
    SELECT id, payer, fate, currency, hours_ago, hours_after, amount + CASE WHEN fate BETWEEN 140 AND 169
        THEN -(amount / 2000000 * 1000000) WHEN fate BETWEEN 170 AND 199 THEN 5000000 ELSE 0 END AS paid
    FROM pairs WHERE fate >= 140 AND fate NOT BETWEEN 215 AND 219
) AS paying
"""

_SETTLEMENTS = """
INSERT INTO settlements (ref_id, account_ref_id, source, source_ref_id, target, target_ref_id, amount, currency,
    effective_at, created_at, created_by, cancelled, cancel_reason, cancelled_at, version)
SELECT ref(3, id), ref(0, payer), 'PAYMENT_IN', ref(2, id),
    CASE WHEN type = 'creditNote' THEN 'DOCUMENT_LIABILITY' ELSE 'DOCUMENT_AR' END, ref(1, id),
    CASE WHEN fate < 170 THEN amount - amount / 2000000 * 1000000 ELSE amount END, currency, effective_at, effective_at,
    'bench', fate BETWEEN 205 AND 214, CASE WHEN fate BETWEEN 205 AND 214 THEN 'mistake' END,
    CASE WHEN fate BETWEEN 205 AND 209 THEN moment(hours_after) WHEN fate BETWEEN 210 AND 214 THEN moment(-hours_ago / 2)
        END, 1
FROM (
    SELECT pairs.*, moment(CASE WHEN fate BETWEEN 200 AND 204 THEN hours_after ELSE -hours_ago END) AS effective_at
    FROM pairs WHERE fate >= 140 AND fate NOT BETWEEN 215 AND 224
) AS settled
"""


def account(number: int) -> UUID:
    """The id of the account with that number, from 1 on; their order is that of the numbers."""
    return UUID(_REF.format(0, number))


def load(engine: sa.Engine, payers: int) -> None:
    """Fill the empty tables; indices that nothing needs meanwhile are made when the rows are there."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # What is begun anew in a transaction need not be logged, where the server's `wal_level` is minimal.
            connection.execute(sa.text("TRUNCATE " + ", ".join(table.name for table in LOADED)))
        _functions(connection)
        indices = [index for table in LOADED for index in table.indexes]
        for index in indices:
            index.drop(connection)
        for statement in (_COMPANY, _PAIRS, _ACCOUNTS, PAYERS, _DOCUMENTS, _PAYMENTS, _SETTLEMENTS):
            connection.execute(sa.text(statement), {"payers": payers})
        for index in indices:
            index.create(connection)
        connection.exec_driver_sql("DROP TABLE pairs")
        connection.exec_driver_sql("DROP TABLE company")
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_DROP_FUNCTIONS)
    tidy(engine, *LOADED)


def _functions(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTIONS)
        return
    raw: Any = connection.connection.driver_connection
    for name, (arguments, function) in _SQLITE_FUNCTIONS.items():
        raw.create_function(name, arguments, function, deterministic=True)


def tidy(engine: sa.Engine, *changed: sa.Table) -> None:
    """Leave nothing for later that whoever is measured next would have to do: no dead rows, nothing to write back."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            for table in changed:
                connection.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
            connection.exec_driver_sql("CHECKPOINT")
        else:
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
