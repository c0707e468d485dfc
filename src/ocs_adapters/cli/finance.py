"""`ocs finance`: the finance system's figures."""

import datetime as dt
from collections.abc import Sequence

from ocs_adapters.bootstrap import consumers
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Day, Json, Refused, opened, read_settings
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.finance.figures import Figures, OfAge, OpenItems
from ocs_core.entities.configuration import Configuration, day_of
from ocs_core.errors import OcsError

SHOWN_DAYS = 30


def finance(*, as_of: Day | None = None, since: Day | None = None, json: Json = False) -> None:
    """Show what ocs consume finance has made of the messages, by the rules of the open balance: receivables by age, what
    all open balances add up from, payments that belong to no account by age, and payments per day and method.

    Args:
        as_of: What was open at the end of this day, where each payer is; what is open now, if not given.
        since: The first day of which payments are shown; 30 days before as_of if not given.
    """
    kind, configuration, now = consumers.KINDS["finance"], _configuration(), utc_now()
    today = as_of or day_of(now, configuration.zone)
    with consumers.database_of(kind, read_settings()) as database:
        if not kind.tables.are_in(database):
            raise Refused("finance has read nothing yet; run: ocs consume finance")
        kind.tables.prepare(database)
        figures = Figures(database=database, configuration=configuration, now=now)
        open_items = figures.open_items(as_of)
        payments = figures.payments(since or today - dt.timedelta(days=SHOWN_DAYS), today)
    per_day = [
        (
            p.day or "undated",
            p.payment_type,
            p.payment_method,
            p.count,
            say.money(p.amount, p.currency, configuration),
        )
        for p in payments
    ]
    columns = ["day", "type", "method", "payments ", "amount "]
    say.several(
        json=json,
        asOf=today,
        receivables=_ages(
            f"Receivables as of {today}, by days since they were due", open_items.receivables, configuration
        ),
        openBalances=_balances(
            f"Open balances of all payers as of {today}, and what they add up from", open_items, configuration
        ),
        unidentifiedPayments=_ages(
            f"Unidentified payments as of {today}, by days since they were received",
            open_items.unidentified,
            configuration,
        ),
        payments=say.Table(columns, per_day, "Payments per day and method"),
    )


def _configuration() -> Configuration:
    """The system's: how fine currencies are, and where accounts are. Finance may be elsewhere, and then does without."""
    try:
        with opened() as platform:
            return platform.services.queries.configuration()
    except OcsError as error:
        say.warn(f"The configuration cannot be read: amounts have two digits, and days are those of OCS_ZONE. {error}")
        zone = read_settings().zone
        return Configuration(default_zone=zone) if zone else Configuration()


def _ages(title: str, ages: Sequence[OfAge], configuration: Configuration) -> say.Table:
    rows = [(a.currency, a.age, a.count, say.money(a.amount, a.currency, configuration)) for a in ages]
    return say.Table(["currency", "age", "count ", "amount "], rows, title)


def _balances(title: str, found: OpenItems, configuration: Configuration) -> say.Table:
    rows = [(b.currency, b.figure, b.count, say.money(b.amount, b.currency, configuration)) for b in found.balances]
    return say.Table(["currency", "figure", "count ", "amount "], rows, title)
