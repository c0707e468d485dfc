"""Holdings side by side: pure, and in the memory of one entity at a time."""

import datetime as dt
from collections.abc import Iterable, Iterator
from uuid import UUID

import attrs

from ocs_adapters.sql.holdings import Holding


@attrs.frozen(kw_only=True)
class Beside:
    """What each party holds of one entity; None: nothing."""

    code: str
    ref_id: UUID
    database: Holding | None = None
    finance: Holding | None = None
    topics: Holding | None = None

    @property
    def is_equal(self) -> bool:
        """All three hold the same version with the same content."""
        return self.database == self.finance == self.topics

    @property
    def may_be_beyond_reach(self) -> bool:
        """Nothing is wrong but that the topics do not tell of it, or of an earlier version only: what told of it may have
        expired. (A payment that is identified changes its key, and so its partition.)"""
        if self.database is None or self.database != self.finance:
            return False
        return self.topics is None or self.topics.version < self.database.version

    def is_older_than(self, instant: dt.datetime | None) -> bool:
        """Finance was told of it before that; None: there is nothing to be told by any more."""
        told_at = self.finance.told_at if self.finance else None
        return told_at is not None and (instant is None or told_at < instant)

    @property
    def finance_is_ahead(self) -> bool:
        """Finance holds what the database never told: no message mends that."""
        if self.finance is None:
            return False
        return self.database is None or self.finance.version > self.database.version

    def __str__(self) -> str:
        held = {"database": self.database, "finance": self.finance, "topics": self.topics}
        told = ", ".join(f"{party} {_version(holding)}" for party, holding in held.items())
        versions = {holding.version for holding in held.values() if holding}
        same = all(held.values()) and len(versions) == 1
        return f"{self.code} {self.ref_id}: {told}{'; the contents differ' if same else ''}"


def side_by_side(
    code: str, database: Iterable[Holding], finance: Iterable[Holding], topics: Iterable[Holding]
) -> Iterator[Beside]:
    """Every entity that anybody holds, in the order of the ids, which all three must come in."""
    parties = {"database": iter(database), "finance": iter(finance), "topics": iter(topics)}
    heads = {party: next(holdings, None) for party, holdings in parties.items()}
    while ids := [head.ref_id for head in heads.values() if head is not None]:
        ref_id = min(ids)
        held = {party: head for party, head in heads.items() if head is not None and head.ref_id == ref_id}
        yield Beside(code=code, ref_id=ref_id, **held)
        for party in held:
            heads[party] = next(parties[party], None)


def _version(holding: Holding | None) -> str:
    return f"version {holding.version}" if holding else "nothing"
