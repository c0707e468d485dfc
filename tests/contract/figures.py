"""What finance's figures have to be, said a second time from the reference: of each payer what the core says of it."""

import datetime as dt
from collections import defaultdict

from ocs_adapters.consumers.finance.figures import OPEN_BALANCE, OfFigure, OpenItems, by_age
from ocs_core.collection import open_at
from ocs_core.entities.account import Payer
from ocs_core.entities.configuration import Configuration, as_instant, day_of
from ocs_core.entities.payment import Payment, PaymentType
from ocs_core.entities.settlement import Settlement
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.open_balance import Figure, open_balance

Item = tuple[str, int | None, int]
"""The currency, the age in days, and the amount."""


def open_items(store: MemoryStore, configured: Configuration, now: dt.datetime, day: dt.date | None) -> OpenItems:
    """All of it, item by item: nothing is known here of how finance finds what it keeps."""
    receivables: list[Item] = []
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for ref_id in store.entities[Payer]:
        ledger = MemoryQueries(store).ledger(ref_id)
        assert ledger is not None
        zone = configured.zone_of(ledger.account.account_type)
        as_of = now if day is None else min(now, as_instant(day, zone, now))
        due_days = {document.ref_id: document.document_due_date for document in ledger.documents}
        balance, adding = open_balance(ledger, configured, as_of), defaultdict(int)
        for line in balance.lines:
            if line.figure is None:
                continue
            signed = line.open_amount * (-1 if line.figure in {Figure.LIABLE, Figure.OVERPAYMENT} else 1)
            adding[line.currency] += signed
            for name in (line.figure.value, OPEN_BALANCE):
                of = sums[line.currency, name]
                of[0], of[1] = of[0] + 1, of[1] + signed
            if line.figure in {Figure.DUE, Figure.FUTURE}:
                is_due = line.figure is Figure.DUE
                age = (day_of(as_of, zone) - due_days[line.ref_id]).days if is_due else -1
                receivables.append((line.currency, age, line.open_amount))
        told = {f.currency: f.open_balance for f in (balance.figures, *balance.other_currencies)}
        assert {c: a for c, a in told.items() if a} == {c: a for c, a in adding.items() if a}
    order = [*(figure.value for figure in Figure), OPEN_BALANCE]
    return OpenItems(
        receivables=by_age(receivables),
        unidentified=by_age(_unidentified(store, configured, now, day)),
        balances=[OfFigure(*of, *sums[of]) for of in sorted(sums, key=lambda of: (of[0], order.index(of[1])))],
    )


def _unidentified(store: MemoryStore, configured: Configuration, now: dt.datetime, day: dt.date | None) -> list[Item]:
    as_of = now if day is None else min(now, as_instant(day, configured.zone, now))
    found: list[Item] = []
    for payment in store.entities[Payment].values():
        moved = payment.payment_date_received
        is_away = moved is not None and moved > as_of
        is_cancelled = payment.cancelled_at is not None and payment.cancelled_at <= as_of
        if payment.account is not None or payment.payment_type is not PaymentType.IN or is_away or is_cancelled:
            continue
        settled = (s for s in store.entities[Settlement].values() if s.source_ref_id == payment.ref_id)
        if amount := open_at(payment.remaining_amount, settled, as_of):
            age = moved and (day_of(as_of, configured.zone) - day_of(moved, configured.zone)).days
            found.append((payment.currency, age, amount))
    return found
