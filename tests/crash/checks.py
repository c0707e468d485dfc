"""What must be true when everybody is up again and nothing is on its way."""

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import psycopg

from ocs_adapters.bootstrap import consumers
from ocs_adapters.bootstrap.kafka import kafka_connection
from ocs_adapters.consumers.notifications.keeping import delivery_id
from ocs_adapters.consumers.received import received
from ocs_adapters.kafka.history import read_all
from ocs_adapters.settings import Settings
from ocs_core.messages import Family
from ocs_core.ports import Delivered
from tests.crash.clients import Clients
from tests.crash.parts import Recipient, ocs

ARRIVE_SECONDS = 180.0
"""How long what is on its way may take when everybody is up again."""


@attrs.frozen(kw_only=True)
class Checks:
    """The checks of one company. Each raises `AssertionError` with what is wrong."""

    folder: Path
    environment: Mapping[str, str]
    settings: Settings
    clients: Clients
    recipient: Recipient

    def everything(self) -> str:
        """All of them; gives a line about what was checked."""
        assert not self.clients.failures, self.clients.failures
        self.every_answer_is_kept()
        until("the outbox is empty", lambda: self._one("SELECT count(*) FROM outbox") == 0)
        topics = self.settings.business_transactions_topic, self.settings.notifications_topic
        messages = list(read_all(kafka_connection(self.settings), topics))
        self.order_is_kept(messages)
        self.all_parties_hold_the_same()
        self.figures_are_the_databases()
        different = {UUID(m.headers["ce_id"]) for m in messages}
        notifications = self.every_notification_was_told(messages)
        self.the_warehouse_has_each_once(different)
        self.every_notification_is_delivered(notifications)
        self.nothing_was_set_aside()
        delivered = Counter(self.recipient.ids)
        return (
            f"{len(self.clients.payments)} payments, {self.clients.repeated} requests repeated, {len(different)} messages of "
            f"which {len(messages) - len(different)} came twice, {len(notifications)} notifications of which "
            f"{delivered.total() - len(delivered)} were delivered twice"
        )

    def every_answer_is_kept(self) -> None:
        """What a client was told is in the database, and nothing else is."""
        kept = dict(self._rows("SELECT external_payment_no, ref_id FROM payments"))
        told = {number: UUID(ref_id) for number, ref_id in self.clients.payments.items()}
        assert kept == told, f"{len(kept.items() ^ told.items())} payments are not as they were answered"

    def order_is_kept(self, messages: Sequence[Delivered]) -> None:
        """Per key and entity, each version is told for the first time behind the one before it, and none is left out."""
        newest: dict[tuple[UUID, str, UUID], int] = {}
        seen: set[str] = set()
        for message in messages:
            told = received(message)
            if told.family is Family.NOTIFICATION or message.headers["ce_id"] in seen:
                continue
            seen.add(message.headers["ce_id"])
            of = message.key, told.code, told.subject
            expected = newest.get(of, 0) + 1
            assert told.version == expected, f"{of}: version {told.version} is told where {expected} should be"
            newest[of] = told.version

    def all_parties_hold_the_same(self) -> None:
        """`ocs reconcile` says so."""
        until("reconcile says equal", lambda: self._ocs("reconcile")[0] == 0, lambda: self._ocs("reconcile")[1])

    def figures_are_the_databases(self) -> None:
        """Finance's figures are what the database's own rows add up to."""
        today = dt.datetime.now(dt.UTC).date()
        code, told = self._ocs("finance", "--json", "--as-of", str(today))
        assert code == 0, told
        figures = json.loads(told)
        receivable = self._rows(
            "SELECT currency, sum(due_amount)::bigint FROM documents "
            "WHERE due_amount <> 0 AND due_amount_type = 'AR' AND NOT cancelled GROUP BY currency"
        )
        assert _sums(figures["receivables"]) == dict(receivable)
        unidentified = self._rows(
            "SELECT currency, sum(remaining_amount)::bigint FROM payments "
            "WHERE account_ref_id IS NULL AND payment_type = 'IN' AND NOT cancelled AND remaining_amount > 0 GROUP BY currency"
        )
        assert _sums(figures["unidentifiedPayments"]) == dict(unidentified)
        total = self._rows(
            "SELECT currency, sum(payment_amount)::bigint FROM payments WHERE NOT cancelled GROUP BY currency"
        )
        assert _sums(figures["payments"]) == dict(total)

    def every_notification_was_told(self, messages: Sequence[Delivered]) -> set[UUID]:
        """As often as the database says that there was a reason for one; gives their `ce_id`."""
        told: dict[UUID, tuple[str, UUID]] = {}
        for message in messages:
            one = received(message)
            if one.family is Family.NOTIFICATION:
                told[one.ce_id] = one.code, one.subject
        reasons = {
            "paymentReceived": "SELECT ref_id FROM payments WHERE account_ref_id IS NOT NULL",
            "documentCreated": "SELECT ref_id FROM documents",
            "documentOpenBalanceChanged": "SELECT target_ref_id FROM settlements",
        }
        wanted = Counter((code, ref_id) for code, query in reasons.items() for (ref_id,) in self._rows(query))
        found = Counter(told.values())
        assert found == wanted, f"missing: {wanted - found}; too many: {found - wanted}"
        return {*told}

    def the_warehouse_has_each_once(self, published: set[UUID]) -> None:
        """Every message is a row, and no other is."""
        wanted = sorted(map(str, published))

        def found() -> list[str]:
            code, told = self._ocs("warehouse", "sql", "SELECT ce_id FROM messages ORDER BY ce_id", "--csv")
            assert code == 0, told
            return told.split()[1:]

        until("the warehouse has everything", lambda: found() == wanted, lambda: f"{len(found())} of {len(wanted)}")

    def every_notification_is_delivered(self, notifications: set[UUID]) -> None:
        """Each came at least once, always under the same `webhook-id`, and as it was signed."""
        wanted = {str(delivery_id(ce_id, "crash")) for ce_id in notifications}
        ids = self.recipient.ids
        until("every notification is delivered", lambda: wanted <= {*ids}, lambda: f"{len({*ids})} of {len(wanted)}")
        assert {*ids} == wanted, f"under other ids: {sorted({*ids} - wanted)[:5]}"
        assert not self.recipient.wrong, self.recipient.wrong[:3]

    def nothing_was_set_aside(self) -> None:
        """No consumer met a message that it could not deal with."""
        for name, kind in consumers.KINDS.items():
            with consumers.database_of(kind, self.settings) as database:
                assert not consumers.inbox(kind, database).dead_letters(), f"{name} has dead letters"

    def _ocs(self, *arguments: str) -> tuple[int, str]:
        return ocs(self.folder, self.environment, *arguments)

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.settings.database_url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]

    def _one(self, query: str) -> object:
        return self._rows(query)[0][0]


def until(what: str, reached: Callable[[], bool], state: Callable[[], object] = lambda: "") -> None:
    """Wait for something. Raises `AssertionError` where it does not come."""
    ends = time.monotonic() + ARRIVE_SECONDS
    while not reached():
        assert time.monotonic() < ends, f"it never came to it that {what}: {state()}"
        time.sleep(0.3)


def _sums(shown: Sequence[Any]) -> dict[str, int]:
    """What the amounts of a table add up to, by currency."""
    sums: Counter[str] = Counter()
    for row in shown:
        sums[row["amount"]["currency"]] += row["amount"]["amount"]
    return dict(sums)
