"""The lines of a file as invoices: whole ones, or none of their rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import attrs

from ocs_core.entities.configuration import Configuration
from ocs_core.usecases.take_over_receivables.invoices import SUMS, Invoice, Line, NoInvoice, added_up, invoice_of
from ocs_core.usecases.take_over_receivables.table import FileRefused
from ocs_core.usecases.take_over_receivables.terms import Terms
from ocs_core.usecases.take_over_receivables.words import Meaning


@attrs.define(kw_only=True)
class Gathering:
    """Everything that stands under one number in a file, rows that cannot be read included."""

    terms: Terms
    configuration: Configuration
    reasons: dict[int, list[str]]
    """Per line what is wrong with it; what is found here is added."""
    standing: Mapping[str, Sequence[int]]
    """Per number the lines of all rows in which it stands, read or not."""
    out: Mapping[int, str]
    """The lines that are left out, with the word that says so."""

    def __call__(self, lines: Sequence[Line]) -> list[Invoice]:
        by_number: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_number[line.number].append(line)
        if self.terms.add_up:
            self._ask_what_is_repeated([same for same in by_number.values() if len(same) > 1])
        invoices = []
        for number, same in by_number.items():
            try:
                invoices.append(invoice_of(self._one(number, same), self.configuration, self.terms.as_of))
            except NoInvoice as reason:
                for line in same:
                    self.reasons[line.line].append(str(reason))
        self._check_signs(lines)
        self._check_currencies(lines)
        return [i for i in invoices if not any(self.reasons[line.line] for line in by_number[i.number])]

    def _one(self, number: str, same: Sequence[Line]) -> Line:
        there = self.standing[number]
        read = {line.line for line in same}
        if out := [line for line in there if line in self.out]:
            raise NoInvoice(
                f"the number {number} stands in line {out[0]}, too, which is left out as {self.out[out[0]]!r}: does this row "
                "hold, or that one? Take the other out of the file"
            )
        if len(there) > 1 and not self.terms.add_up:
            raise NoInvoice(
                f"the number {number} stands in {len(there)} rows (lines {_listed(there)}); "
                "if they are the lines of one invoice, --add-up adds them up"
            )
        if unread := [line for line in there if line not in read]:
            raise NoInvoice(
                f"another row of number {number} cannot be taken over (line {_listed(unread)}): the invoice is not whole"
            )
        return same[0] if len(same) == 1 else added_up(same, self.terms.repeated or ())

    def _ask_what_is_repeated(self, several: Sequence[Sequence[Line]]) -> None:
        """The same amount in every row of an invoice may be its total, repeated. Raises `FileRefused` where that is as
        likely as not."""
        if self.terms.repeated is not None:
            return
        alike = {field: same for field in SUMS if (same := _alike(field, several)) is not None}
        if alike:
            first = next(iter(alike.values()))
            flags = " ".join(f"--repeated {field}" for field in alike)
            raise FileRefused(
                f"--add-up: {' and '.join(alike)} may be the same in all rows of one number, such as {first[0].number} (lines "
                f"{_listed(line.line for line in first)}). Of what is of the whole invoice, and written in each of its rows, say "
                f"so with {flags}; if every amount is of its row alone, say --repeated none."
            )

    def _check_signs(self, lines: Sequence[Line]) -> None:
        """Credits are written above zero or below it, the same in all rows."""
        credits = [line for line in lines if line.type is Meaning.CREDIT and line.amount]
        below, above = ([c for c in credits if ((c.amount or 0) < 0) is is_below] for is_below in (True, False))
        if below and above:
            for credit in credits:
                self.reasons[credit.line].append(
                    f"credits stand above zero (line {above[0].line}) and below zero (line {below[0].line})"
                )

    def _check_currencies(self, lines: Sequence[Line]) -> None:
        """An account has one currency."""
        by_customer: dict[str, set[str]] = defaultdict(set)
        for line in lines:
            by_customer[line.customer].add(line.currency)
        for line in lines:
            if len(by_customer[line.customer]) > 1:
                several = " and ".join(sorted(by_customer[line.customer]))
                self.reasons[line.line].append(
                    f"the customer {line.customer} has rows in {several}: an account has one"
                )


def _alike(field: str, several: Sequence[Sequence[Line]]) -> Sequence[Line] | None:
    """The rows of an invoice with the same amount in all of them, where at least half of the invoices have such."""
    saying = [same for same in several if any(getattr(line, field) for line in same)]
    alike = [same for same in saying if len({getattr(line, field) for line in same}) == 1]
    return alike[0] if alike and 2 * len(alike) >= len(saying) else None


def _listed(lines: Iterable[int]) -> str:
    found = list(lines)
    return ", ".join(map(str, found[:5])) + (" …" if len(found) > 5 else "")
