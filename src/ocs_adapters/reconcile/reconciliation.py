"""The proof: everything side by side, and what differs looked at once more before it is believed."""

import time
from collections import Counter
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
MOST = 10_000
"""So many differences are kept; where there are more, nothing is merely on its way."""


@attrs.frozen(kw_only=True)
class Read:
    """Everything that is in the topics now. `reaches_back`: nothing of it has expired."""

    messages: Iterable[Delivered]
    reaches_back: bool


@attrs.frozen(kw_only=True)
class Report:
    """What was found. `compared` counts entities by code, `different` those that differ; of these, `differences` are the
    first. `beyond_reach` counts those that agree otherwise and whose messages are not there any more: they have expired, or the
    topic `was_made_anew`. `reach` says in words how far back the topics were read, `not_understood` how many of their messages
    cannot be read."""

    compared: Mapping[str, int]
    different: Mapping[str, int]
    differences: Sequence[Beside]
    beyond_reach: int
    was_made_anew: bool
    reach: str
    not_understood: int

    @property
    def is_equal(self) -> bool:
        return not any(self.different.values())


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
        if max(sum(found.different.values()), sum(again.different.values())) > MOST:
            return again
        before = {_what(difference) for difference in found.differences}
        lasting = [difference for difference in again.differences if _what(difference) in before]
        return attrs.evolve(again, differences=lasting, different=Counter(d.code for d in lasting))

    def _look(self) -> Report:
        compared: Counter[str] = Counter(dict.fromkeys(CODES, 0))
        different: Counter[str] = Counter()
        differences: list[Beside] = []
        beyond_reach, was_made_anew = 0, False
        with self.read() as read, told_by(read.messages) as told:
            for beside in self._beside(told.holdings):
                compared[beside.code] += 1
                if beside.may_be_beyond_reach and (not read.reaches_back or beside.is_older_than(told.oldest)):
                    beyond_reach += 1
                    was_made_anew |= read.reaches_back
                elif not beside.is_equal:
                    different[beside.code] += 1
                    if len(differences) < MOST:
                        differences.append(beside)
            reaches_back = read.reaches_back and not was_made_anew
            since = format_instant(told.oldest) if told.oldest and not reaches_back else None
            reach = f"{told.messages} messages, {f'since {since}' if since else 'from the beginning'}"
        return Report(
            compared=compared,
            different=different,
            differences=differences,
            beyond_reach=beyond_reach,
            was_made_anew=was_made_anew,
            reach=reach,
            not_understood=told.not_understood,
        )

    def _beside(self, topics: Callable[[str], Iterable[Holding]]) -> Iterator[Beside]:
        for code in CODES:
            yield from side_by_side(
                code, holdings(self.database, code), finance_holdings(self.finance, code), topics(code)
            )


def _what(difference: Beside) -> tuple[str, UUID, int | None]:
    held = difference.database
    return difference.code, difference.ref_id, held.version if held else None
