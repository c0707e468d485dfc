"""From notifications to deliveries: one for each recipient who wants it."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID, uuid5

import attrs

from ocs_adapters.consumers.notifications.backoff import ATTEMPTS
from ocs_adapters.consumers.notifications.deliveries import State
from ocs_adapters.consumers.notifications.recipients import Recipient
from ocs_adapters.consumers.notifications.tables import deliveries
from ocs_adapters.consumers.received import received
from ocs_adapters.sql.database import Transaction
from ocs_core.messages import Family
from ocs_core.ports import Clock, Delivered


def delivery_id(ce_id: UUID, recipient: str) -> UUID:
    """The same for the same message and recipient, however often the message is read."""
    return uuid5(ce_id, recipient)


@attrs.frozen
class KeepDeliveries:
    """Keeps what is to be delivered; what is kept already stays as it is.

    What happened longer than `keep_days` ago is not delivered: it may have been, and be forgotten.
    """

    recipients: Sequence[Recipient]
    clock: Clock
    keep_days: int | None = None

    def __call__(self, transaction: Transaction, messages: Sequence[Delivered]) -> None:
        """Raises `NotUnderstood` where a message lacks what is needed of it."""
        now = self.clock()
        oldest = None if self.keep_days is None else now - dt.timedelta(days=self.keep_days)
        rows = [
            {
                "ref_id": delivery_id(told.ce_id, recipient.name),
                "ce_id": told.ce_id,
                "recipient": recipient.name,
                "code": told.code,
                "occurred_at": told.time,
                "value": message.value.decode(),
                "kept_at": now,
                "state": State.WAITING.value,
                "attempts": 0,
                "attempts_allowed": ATTEMPTS,
                "due_at": now,
                "delivered_at": None,
            }
            for message in messages
            for told in [received(message)]
            if told.family is Family.NOTIFICATION and (oldest is None or told.time >= oldest)
            for recipient in self.recipients
            if recipient.wants(told.code)
        ]
        if rows:
            transaction.run(transaction.driver.insert({deliveries: rows}))
