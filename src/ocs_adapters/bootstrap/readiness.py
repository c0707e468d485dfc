"""Whether the system can serve."""

from typing import Any

import attrs
import structlog

from ocs_adapters.sql.database import Database, is_missing
from ocs_adapters.sql.migrations import NO_SCHEMA, problem
from ocs_adapters.sql.probing import NO_ANSWER, why_not
from ocs_adapters.telling import told

log: Any = structlog.get_logger()


def problem_of(database: Database) -> str | None:
    """Why a database cannot be worked on, as a sentence; None when it can. Raises `StoreUnavailable`."""
    if is_missing(database):
        return NO_SCHEMA
    with database.transaction(writing=False):
        pass
    return problem(database.engine)


@attrs.frozen
class Readiness:
    """Asks a database, over connections that wait for nothing else."""

    database: Database

    def problems(self) -> list[str]:
        """Why the system cannot serve, as sentences without their full stop; none when it can."""
        return self._problems(thoroughly=False)

    def problems_of_writing(self) -> list[str]:
        """The same, found by writing something that is taken back."""
        return self._problems(thoroughly=True)

    def _problems(self, *, thoroughly: bool) -> list[str]:
        try:
            found = problem_of(self.database) or why_not(self.database, thoroughly=thoroughly)
        except Exception as error:
            # Anybody may ask whether the system is ready: what the database said is for the log alone.
            log.error("the database does not answer", error=told(error))
            return [NO_ANSWER]
        return [found] if found else []
