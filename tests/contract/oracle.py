"""What a collection run has to find, said a second time in plain SQL over the tables, and what it has to have told.

Nothing of the core's rules is used: where the two disagree, one of them is wrong. The company has the example's master data
and the zone UTC. Ids, days and instants are text as in the messages, so that both databases answer alike.
"""

import datetime as dt
import itertools
import operator
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

from ocs_core.messages import format_instant

# A settlement that takes effect after T has not been made yet; one cancelled after T has not been cancelled yet.
_ORACLE = """
WITH sides AS (
    SELECT source_ref_id AS item, amount, effective_at, cancelled, cancelled_at FROM settlements
    UNION ALL
    SELECT target_ref_id, amount, effective_at, cancelled, cancelled_at FROM settlements
),
corrections AS (
    SELECT item, SUM(CASE WHEN NOT cancelled THEN amount ELSE -amount END) AS amount FROM sides
    WHERE (NOT cancelled AND effective_at > :as_of) OR (cancelled_at > :as_of AND effective_at <= :as_of)
    GROUP BY item
),
documents_at AS (
    SELECT documents.*, due_amount + COALESCE(corrections.amount, 0) AS open
    FROM documents LEFT JOIN corrections ON corrections.item = documents.ref_id
    WHERE NOT cancelled OR cancelled_at > :as_of
),
payments_at AS (
    SELECT payments.*, remaining_amount + COALESCE(corrections.amount, 0) AS open
    FROM payments LEFT JOIN corrections ON corrections.item = payments.ref_id
    WHERE NOT cancelled OR cancelled_at > :as_of
),
counted AS (
    SELECT account_ref_id, currency, open AS owed, document_due_date AS due FROM documents_at
    WHERE due_amount_type = 'AR' AND open <> 0 AND document_type IN ('genericInvoice', 'creditNote')
        AND document_issued_date <= :today AND document_due_date < :today
    UNION ALL
    SELECT account_ref_id, currency, -open, NULL FROM documents_at
    WHERE due_amount_type = 'LIABILITY' AND open <> 0 AND document_type IN ('genericInvoice', 'creditNote')
        AND document_issued_date <= :today
    UNION ALL
    SELECT account_ref_id, currency, -open, NULL FROM payments_at
    WHERE payment_type = 'IN' AND open > 0 AND payment_date_received <= :as_of
    UNION ALL
    SELECT account_ref_id, currency, open, NULL FROM payments_at
    WHERE payment_type = 'OUT' AND open > 0 AND payment_date_sent <= :as_of
),
figures AS (
    SELECT accounts.ref_id, accounts.external_id, accounts.currency, COALESCE(SUM(owed), 0) AS balance, MIN(due) AS oldest
    FROM accounts JOIN payers ON payers.account_ref_id = accounts.ref_id
    LEFT JOIN counted ON counted.account_ref_id = accounts.ref_id AND counted.currency = accounts.currency
    WHERE accounts.state <> 'DEACTIVATED'
    GROUP BY accounts.ref_id, accounts.external_id, accounts.currency
)
SELECT CAST(ref_id AS VARCHAR), external_id, currency, CAST(balance AS BIGINT), CAST(oldest AS VARCHAR),
    balance > :threshold AND oldest IS NOT NULL AND oldest <= :in_time
FROM figures
"""
_STORED = """
SELECT CAST(account_ref_id AS VARCHAR), collection_balance, CAST(oldest_due_date AS VARCHAR), in_collection, version
FROM payers
"""
_TOLD = "SELECT CAST(key AS VARCHAR) AS of_key, headers, value FROM outbox ORDER BY of_key, position"

Told = tuple[str, dict[str, Any]]
"""A message's code and payload."""


@attrs.frozen
class Figures:
    """A payer's figures: what the oracle says they are, or what is stored."""

    balance: int | None
    oldest: str | None
    in_collection: bool


@attrs.frozen
class Expected:
    """A payer as the oracle sees it."""

    external_id: str | None
    currency: str
    figures: Figures


@attrs.frozen
class Stored:
    figures: Figures
    version: int


def expected(
    connection: sa.Connection, as_of: dt.datetime, *, threshold: int = 0, grace_days: int = 0
) -> dict[str, Expected]:
    """What a run as of that instant finds for every payer that it calculates, by the account's id."""
    # SQLite keeps days and instants as text.
    on_sqlite = connection.dialect.name == "sqlite"
    today, in_time = as_of.date(), as_of.date() - dt.timedelta(days=grace_days)
    rows = connection.execute(
        sa.text(_ORACLE),
        {
            "as_of": format_instant(as_of) if on_sqlite else as_of,
            "today": today.isoformat() if on_sqlite else today,
            "in_time": in_time.isoformat() if on_sqlite else in_time,
            "threshold": threshold,
        },
    )
    return {
        ref_id: Expected(external_id, currency, Figures(balance, oldest, bool(due)))
        for ref_id, external_id, currency, balance, oldest, due in rows
    }


def stored(connection: sa.Connection) -> dict[str, Stored]:
    """Every payer's figures as they are stored, by the account's id."""
    return {
        ref_id: Stored(Figures(balance, oldest, bool(in_collection)), version)
        for ref_id, balance, oldest, in_collection, version in connection.execute(sa.text(_STORED))
    }


def told(connection: sa.Connection) -> Iterator[tuple[str, list[Told]]]:
    """The messages in the outbox by their key, each with its code and payload, in the order in which they will go."""
    rows = connection.execute(sa.text(_TOLD).execution_options(yield_per=10_000))
    for key, messages_of_key in itertools.groupby(rows, key=operator.itemgetter(0)):
        yield key, [(_code(headers), msgspec.json.decode(value)) for _, headers, value in messages_of_key]


def _code(headers: str) -> str:
    return str(msgspec.json.decode(headers)["ce_type"]).removeprefix("io.ocs.rm.")


def messages(ref_id: str, expected: Expected, before: Stored, as_of: dt.datetime) -> list[Told]:
    """What a run tells of a payer; of `payer` only what a run can change."""
    figures, instant = expected.figures, format_instant(as_of)
    account = {"refId": ref_id, "externalId": expected.external_id}
    found: list[Told] = []
    if figures != before.figures:
        payer = {
            "account": account,
            "collectionBalance": figures.balance,
            "oldestDueDate": figures.oldest,
            "inCollection": figures.in_collection,
            "collectionBalanceAsOf": instant,
            "version": before.version + 1,
        }
        found.append(("payer", payer))
    common = {"effectiveDate": instant, "account": account, "currency": expected.currency}
    due = {"oldestDocumentDueDate": figures.oldest}
    found.append(("collectionBalanceCalculated", common | {"collectionBalance": figures.balance} | due))
    if figures.in_collection and not before.figures.in_collection:
        found.append(("collectionStart", common | {"dueAmount": figures.balance} | due))
    return found


def differences(
    connection: sa.Connection, before: Mapping[str, Stored], as_of: dt.datetime, **setting: int
) -> list[str]:
    """Sentences about every payer that a run as of that instant left otherwise than the oracle says; none if all is well.

    `before` is what was stored when the run began. The outbox was empty then.
    """
    found = []
    payers, wanted = stored(connection), expected(connection, as_of, **setting)
    silent = set(payers)
    for ref_id, heard in told(connection):
        silent.discard(ref_id)
        of_payer = messages(ref_id, wanted[ref_id], before[ref_id], as_of) if ref_id in wanted else []
        if [(code, _changeable(value) if code == "payer" else value) for code, value in heard] != of_payer:
            found.append(f"{ref_id} was told as {heard}, and should be {of_payer}")
    for ref_id, payer in payers.items():
        should_be = wanted[ref_id].figures if ref_id in wanted else before[ref_id].figures
        if payer.figures != should_be:
            found.append(f"{ref_id} is stored as {payer.figures}, and should be {should_be}")
        if ref_id in silent and ref_id in wanted:
            found.append(f"{ref_id} was not told of")
    return found


_CHANGEABLE = ("account", "collectionBalance", "oldestDueDate", "inCollection", "collectionBalanceAsOf", "version")


def _changeable(payer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: payer[name] for name in _CHANGEABLE}
