"""The proof: everything side by side, and what differs looked at once more before it is believed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from uuid import UUID

import attrs

from ocs_adapters.consumers.finance.holdings import holdings as finance_holdings
from ocs_adapters.reconcile.comparing import Beside, side_by_side
from ocs_adapters.reconcile.topics import told_by
from ocs_adapters.sql.database import Database
from ocs_adapters.sql.holdings import CODES, Holding, holdings
from ocs_core.messages import format_instant
from ocs_core.ports import Delivered

PATIENCE_SECONDS = 5.0
"""What is on its way has so long to arrive before it counts as lost."""


@attrs.frozen(kw_only=True)
class Read:
    """Everything that is in the topics now. `reaches_back`: nothing of it has expired."""

    messages: Iterable[Delivered]
    reaches_back: bool


@attrs.frozen(kw_only=True)
class Report:
    """What was found. `compared` counts entities by code; `beyond_reach` those whose messages have expired, which agree
    otherwise; `reach` says in words how far back the topics were read."""

    compared: Mapping[str, int]
    differences: Sequence[Beside]
    beyond_reach: int
    reach: str

    @property
    def is_equal(self) -> bool:
        return not self.differences


@attrs.frozen(kw_only=True)
class Reconciliation:
    """Compares the database, what finance holds, and the topics, while everybody goes on working."""

    database: Database
    finance: Database
    read: Callable[[], AbstractContextManager[Read]]
    """How the topics are read to their present end."""
    pause: Callable[[float], None] = time.sleep

    def __call__(self) -> Report:
        """Raises `StoreUnavailable`, `PlatformUnavailable`."""
        found = self._look()
        if found.is_equal:
            return found
        self.pause(PATIENCE_SECONDS)
        again = self._look()
        before = {_what(difference) for difference in found.differences}
        return attrs.evolve(again, differences=[d for d in again.differences if _what(d) in before])

    def _look(self) -> Report:
        compared = dict.fromkeys(CODES, 0)
        differences: list[Beside] = []
        beyond_reach = 0
        with self.read() as read, told_by(read.messages) as told:
            for beside in self._beside(told.holdings):
                compared[beside.code] += 1
                if beside.may_be_beyond_reach and not read.reaches_back:
                    beyond_reach += 1
                elif not beside.is_equal:
                    differences.append(beside)
            since = format_instant(told.oldest) if told.oldest and not read.reaches_back else None
            reach = f"{told.messages} messages, {f'since {since}' if since else 'from the beginning'}"
        return Report(compared=compared, differences=differences, beyond_reach=beyond_reach, reach=reach)

    def _beside(self, topics: Callable[[str], Iterable[Holding]]) -> Iterator[Beside]:
        for code in CODES:
            yield from side_by_side(
                code, holdings(self.database, code), finance_holdings(self.finance, code), topics(code)
            )


def _what(difference: Beside) -> tuple[str, UUID, int | None]:
    held = difference.database
    return difference.code, difference.ref_id, held.version if held else None
