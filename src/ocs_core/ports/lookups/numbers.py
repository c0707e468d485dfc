"""Drawing a number of a series."""

import attrs

from ocs_core.ports.lookups.lookup import Lookup


@attrs.frozen
class Series:
    """Numbers that rise from 1. `gapless`: whoever draws one holds the series until the commit, and none is ever missing."""

    name: str
    gapless: bool


PAYMENT_NUMBERS = Series("payment", gapless=False)
DOCUMENT_NUMBERS = Series("document", gapless=True)


@attrs.frozen
class NextNumber(Lookup[int]):
    """The next number of a series."""

    series: Series
