"""A payment that was moved to another account, for the laws of whole ledgers and of slices alike."""

import datetime as dt
from collections.abc import Sequence

from ocs_core.collection import LineKind, count_items
from ocs_core.entities.account import Account
from ocs_core.ledger import OpenLedger
from ocs_core.testkit.examples import UNIT, Desk, configuration


def a_payment_that_moved(desk: Desk) -> tuple[Account, Sequence[tuple[dt.datetime, int]]]:
    """A payment of 50 that settled 20 on one account, and 10 on another since it was moved there: the account where it is now,
    and what was open of it as of either instant, in millionths."""
    before, after = desk.account("A-1"), desk.account("A-2")
    payment, document = desk.payment(account=before), desk.document(account=before)
    desk.assign(payment, document, 20 * UNIT)
    settled = desk.clock()
    desk.clock.advance(days=1)
    desk.cancel_assignment(payment, document)
    desk.assign(desk.cancel_identification(payment), desk.document(account=after), 10 * UNIT)
    return after, [(settled, 30 * UNIT), (desk.clock(), 40 * UNIT)]


def open_of_payments(ledger: OpenLedger, as_of: dt.datetime) -> int:
    """How much of a payer's payments is open as of an instant, in millionths."""
    counted = count_items(ledger, configuration(), as_of)
    return sum(each.open_amount for each in counted if each.kind is LineKind.PAYMENT)
