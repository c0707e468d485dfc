"""Read a run of a process (domain: section 4, calculate collection balance)."""

from typing import ClassVar
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.process import ProcessRun
from ocs_core.queries import Queries


@attrs.frozen
class ReadProcessRun:
    """Read a run of a process: how far it is, and which payers it could not calculate. It stores nothing."""

    applies: ClassVar[tuple[rules.Judge, ...]] = (rules.processes.run_exists,)

    queries: Queries

    def __call__(self, ref_id: UUID) -> ProcessRun:
        """Raises `RequestRejected` where there is no such run."""
        run = self.queries.run(ref_id)
        rules.check(rules.processes.run_exists(run))
        assert run is not None
        return run
