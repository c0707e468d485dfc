"""The schema. Money is BIGINT millionths; instants are stored in UTC; every constraint a race can end in has a name.

On SQLite ids, days and instants are fixed-width text that sorts as it should. There are no foreign keys: entities are never
deleted, and every reference is read under a lock in the transaction that writes it (ADR 3).
"""

from ocs_adapters.sql.tables.columns import metadata
from ocs_adapters.sql.tables.entities import (
    accounts,
    chargeable_events,
    document_state,
    documents,
    payers,
    payment_history,
    payments,
    process_runs,
    run_slices,
    settlements,
)
from ocs_adapters.sql.tables.streaming import (
    event_log,
    event_log_forgotten,
    event_readers,
    outbox,
    relay_shares,
    relays,
)
from ocs_adapters.sql.tables.system import (
    api_keys,
    configuration,
    configuration_version,
    payment_numbers,
    requests,
    schedules,
    series,
)
from ocs_adapters.sql.tables.take_overs import take_over_rows, take_overs

__all__ = [
    "accounts",
    "api_keys",
    "chargeable_events",
    "configuration",
    "configuration_version",
    "document_state",
    "documents",
    "event_log",
    "event_log_forgotten",
    "event_readers",
    "metadata",
    "outbox",
    "payers",
    "payment_history",
    "payment_numbers",
    "payments",
    "process_runs",
    "relay_shares",
    "relays",
    "requests",
    "run_slices",
    "schedules",
    "series",
    "settlements",
    "take_over_rows",
    "take_overs",
]
