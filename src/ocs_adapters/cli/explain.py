"""Why a balance is what it is: every item of one account."""

from typing import Any
from uuid import UUID

from ocs_adapters.bootstrap import Services
from ocs_adapters.cli import say
from ocs_adapters.cli.accounts import account_named
from ocs_adapters.serial import decode_request
from ocs_core.collection import Line, Reason
from ocs_core.entities.configuration import Configuration
from ocs_core.ledger import Ledger
from ocs_core.messages import format_instant
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest


def explain(services: Services, named: str, as_of: str | None, json: bool) -> None:
    """Print every document and payment of an account with what it contributes to the balance, and their sum."""
    account = account_named(services.queries, named)
    asked: dict[str, Any] = {"refId": str(account.ref_id), "detailIncluded": True, "limit": None}
    request = decode_request(ReadCollectionBalanceRequest, asked | ({"asOf": as_of} if as_of else {}))
    view = ReadCollectionBalance(services.queries, clock=services.clock)(request)
    ledger = services.queries.ledger(account.ref_id)
    assert view.lines is not None
    assert view.as_of is not None
    assert view.collection_balance is not None
    assert ledger is not None
    configuration = services.queries.configuration()
    details = _details(ledger)
    rows = [_row(line, details.get(line.ref_id, (None, None, None)), configuration) for line in view.lines]
    balance = say.money(view.collection_balance, view.currency, configuration)
    columns = [
        "kind",
        "number",
        "external number",
        "issued, received or sent",
        "due",
        "open ",
        "contributes ",
        "reason",
    ]
    lines = say.Table(columns, rows, f"{named} as of {view.as_of_day or format_instant(view.as_of)}")
    count = sum(line.reason is Reason.COUNTS for line in view.lines)
    total = say.Record([("sum", balance), ("counted", count)])
    say.several(json=json, account=named, asOf=view.as_of_day or view.as_of, lines=lines, total=total)


def _details(ledger: Ledger) -> dict[UUID, tuple[Any, Any, Any]]:
    """What a person knows an item by: its external number, its day, and its due day."""
    documents = {
        d.ref_id: (d.external_document_no, d.document_issued_date, d.document_due_date) for d in ledger.documents
    }
    payments = {
        p.ref_id: (p.external_payment_no, p.payment_date_received or p.payment_date_sent, None) for p in ledger.payments
    }
    return {**documents, **payments}


def _row(line: Line, details: tuple[Any, Any, Any], configuration: Configuration) -> tuple[Any, ...]:
    return (
        line.kind.value.lower(),
        line.number,
        *details,
        say.money(line.open_amount, line.currency, configuration),
        say.money(line.contribution, line.currency, configuration),
        line.reason,
    )
