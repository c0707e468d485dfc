"""`ocs finance`: the finance system's figures."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from ocs_adapters.bootstrap import consumers
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Day, Json, Refused
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.finance.figures import Figures, OfAge
from ocs_core.entities.configuration import Configuration

SHOWN_DAYS = 30


def join(commands: Commands) -> None:
    @commands.app.command
    def finance(*, as_of: Day | None = None, since: Day | None = None, json: Json = False) -> None:
        """Show what ocs consume finance has made of the messages: receivables by age, payments that belong to no account by
        age, and payments per day and method. Cancelled ones are left out.

        Args:
            as_of: The day that ages are counted to; today, in UTC, if not given.
            since: The first day of which payments are shown; 30 days before as_of if not given.
        """
        today = as_of or utc_now().date()
        kind = consumers.KINDS["finance"]
        with consumers.database_of(kind, commands.settings()) as database:
            if not kind.tables.are_in(database):
                raise Refused("finance has read nothing yet; run: ocs consume finance")
            figures = Figures(database)
            ageing, unidentified = figures.ageing(today), figures.unidentified(today)
            payments = figures.payments(since or today - dt.timedelta(days=SHOWN_DAYS), today)
        per_day = [
            (p.day or "undated", p.payment_type, p.payment_method, p.count, _money(p.amount, p.currency))
            for p in payments
        ]
        columns = ["day", "type", "method", "payments ", "amount "]
        say.several(
            json=json,
            asOf=today,
            receivables=_ages(f"Receivables as of {today}, by days since they were due", ageing),
            unidentifiedPayments=_ages(
                f"Unidentified payments as of {today}, by days since they were received", unidentified
            ),
            payments=say.Table(columns, per_day, "Payments per day and method"),
        )


def _ages(title: str, ages: Sequence[OfAge]) -> say.Table:
    rows: list[Sequence[Any]] = [(a.currency, a.age, a.count, _money(a.amount, a.currency)) for a in ages]
    return say.Table(["currency", "age", "count ", "amount "], rows, title)


def _money(amount: int, currency: str) -> say.Amount:
    return say.money(amount, currency, Configuration())
