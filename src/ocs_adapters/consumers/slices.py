"""Who calculates the slices of collection runs that commands name."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import attrs
import structlog

from ocs_adapters.process.dispatcher import SliceCommand
from ocs_adapters.process.runner import CollectionRunner, Pace
from ocs_adapters.telling import told
from ocs_core.ports import Delivered

log: Any = structlog.get_logger()


@attrs.define
class SliceWorker:
    """Calculates each slice to its end. One that is done, that others hold, or whose run is over is passed over at once."""

    runner: CollectionRunner
    slices: int = attrs.field(default=0, init=False)
    """How many it ended."""
    payers: int = attrs.field(default=0, init=False)
    """How many it calculated."""
    _pace: tuple[UUID, Pace] | None = attrs.field(default=None, init=False)
    """The run that it was at last, and how fast it is there."""

    def process(self, messages: Sequence[Delivered]) -> None:
        """Do what the commands say. Raises `Conflict` and `StoreUnavailable`: what was calculated by then is kept, and the rest
        is when they come again."""
        for message in messages:
            try:
                command = SliceCommand.of(message)
                self._calculate(command)
            except (ValueError, LookupError) as error:
                log.error("a command that nothing can be made of is passed over", reason=told(error))

    def _calculate(self, command: SliceCommand) -> None:
        for done in self.runner.run_slice(command.run_ref_id, command.number, self._pace_of(command.run_ref_id)):
            self.payers += len(done.payers)
            self.slices += done.part is not None and done.part.done

    def _pace_of(self, run_ref_id: UUID) -> Pace:
        if self._pace is None or self._pace[0] != run_ref_id:
            self._pace = run_ref_id, self.runner.pace(run_ref_id)
        return self._pace[1]
