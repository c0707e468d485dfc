"""Series of numbers, and drawing one of a series that may have gaps."""

from typing import Any

import attrs

from ocs_core.ports.lookups.lookup import Lookup


@attrs.frozen
class Series:
    """Numbers that rise from 1, written with ten digits behind a prefix.

    `gapless`: none is ever missing. Whoever draws one holds the series until the commit, so it is drawn when everything is
    decided (`Work.number`, `UnitOfWork.draw`). One that may have gaps is looked up with everything else (`NextNumber`).
    """

    name: str
    prefix: str
    gapless: bool

    def written(self, number: int) -> str:
        return f"{self.prefix}{number:010d}"


PAYMENT_NUMBERS = Series("payment", "P", gapless=False)
DOCUMENT_NUMBERS = Series("document", "D", gapless=True)


def _may_have_gaps(_: Any, __: Any, series: Series) -> None:
    if series.gapless:
        raise ValueError(
            f"the numbers of {series.name} have no gaps: draw one when everything is decided, with Work.number"
        )


@attrs.frozen
class NextNumber(Lookup[int]):
    """The next number of a series that may have gaps: it is used up, whatever becomes of the command."""

    series: Series = attrs.field(validator=_may_have_gaps)
