"""One consumer's dealing with messages: each once, those that cannot be dealt with set aside."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import attrs
import structlog

from ocs_adapters.consumers.inbox import Inbox
from ocs_adapters.consumers.received import NotUnderstood
from ocs_adapters.sql.database import Transaction
from ocs_adapters.telling import reason, told
from ocs_core.errors import Conflict, OcsError, PlatformUnavailable, StoreUnavailable
from ocs_core.ports import Delivered


class NothingWorks(OcsError):
    """One message after the other fails in a way that nobody foresaw: it is hardly theirs."""


PASSING = (Conflict, StoreUnavailable, PlatformUnavailable, NothingWorks)
"""What says nothing about the message: it is tried again, for as long as it takes."""
SURPRISES = 10
"""So many messages in a row that fail otherwise than by being `NotUnderstood` are too many to be blamed."""

Handle = Callable[[Transaction, Sequence[Delivered]], None]
"""Stores what messages lead to, in this transaction. Each comes once; what it raises sets the message aside."""

log: Any = structlog.get_logger()


@attrs.define(kw_only=True)
class Processor:
    """The inbox takes the messages in the transaction that keeps what they lead to."""

    inbox: Inbox
    handle: Handle
    committed: Callable[[], None] = lambda: None
    """What is to be done once the transaction is committed; after a crash, at the next start instead."""
    _surprises: int = attrs.field(default=0, init=False)

    def process(self, messages: Sequence[Delivered]) -> None:
        """Deal with messages that were not dealt with before. Raises `OcsError` of what is `PASSING`: nothing is kept then,
        or a part of it that is known when they come again."""
        try:
            self._in_one_transaction(messages)
        except PASSING:
            raise
        except Exception as error:
            if len(messages) == 1:
                self._set_aside(messages[0], error)
                return
            log.warning("some message spoils the batch, going on with its halves", error=told(error))
            middle = len(messages) // 2
            self.process(messages[:middle])
            self.process(messages[middle:])

    def _set_aside(self, message: Delivered, error: Exception) -> None:
        self._surprises = 0 if isinstance(error, NotUnderstood) else self._surprises + 1
        if self._surprises > SURPRISES:
            raise NothingWorks(f"nothing works any more: {told(error)}") from error
        ref_id = self.inbox.set_aside(message, reason(error))
        log.error("a message cannot be dealt with and is a dead letter now", ref_id=str(ref_id), error=told(error))

    def retry(self, ref_id: UUID) -> None:
        """Deal with a dead letter again, and forget it. Raises `OcsError` where there is none, or it fails again."""
        letter = self.inbox.dead_letter(ref_id)
        if letter is None:
            raise OcsError(f"There is no dead letter {ref_id}.")
        try:
            self._in_one_transaction([letter.message], buried=ref_id)
        except PASSING:
            raise
        except Exception as error:
            raise OcsError(f"{ref_id} stays a dead letter: {reason(error)}") from error

    def _in_one_transaction(self, messages: Sequence[Delivered], buried: UUID | None = None) -> None:
        with self.inbox.database.transaction() as transaction:
            if new := self.inbox.take(transaction, messages):
                self.handle(transaction, new)
            if buried:
                self.inbox.discard(buried, transaction)
            transaction.run([], commit=True)
        self._surprises = 0
        self._after_the_commit()

    def _after_the_commit(self) -> None:
        try:
            self.committed()
        except Exception as error:
            log.error("what is done after the commit is left for later", error=told(error))
