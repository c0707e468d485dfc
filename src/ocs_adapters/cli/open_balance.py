"""`ocs open-balance`: all that is open of one account."""

from typing import Any

from ocs_adapters.cli import say
from ocs_adapters.cli.accounts import account_named
from ocs_adapters.cli.commands import AsOf, Flag, Json, opened
from ocs_adapters.serial import decode_request
from ocs_core.entities.configuration import Configuration
from ocs_core.messages import format_instant
from ocs_core.open_balance import OpenFigures, OpenLine
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest


def open_balance(
    account: str,
    /,
    *,
    as_of: AsOf | None = None,
    document_types: Flag = False,
    explain: Flag = False,
    json: Json = False,
) -> None:
    """Show all that is open of one account, due or not, whether or not its type is relevant to collection.

    What collection goes by is shown by ocs collect --explain.

    Args:
        account: The account's externalId or refId.
        as_of: A day such as 2024-05-14, which stands for its end where the payer is, or an instant such as
            2024-05-14T07:15:00Z; now if not given.
        document_types: Show the same figures by document type, too.
        explain: Show every document and payment, too, with the figure it adds to, or why it adds to none.
    """
    with opened() as platform:
        services = platform.services
        found = account_named(services.queries, account)
        asked = {"refId": str(found.ref_id), "documentTypesIncluded": document_types}
        asked |= {"detailIncluded": explain, "limit": None}
        request = decode_request(ReadOpenBalanceRequest, asked | ({"asOf": as_of} if as_of else {}))
        view = ReadOpenBalance(services.queries, clock=services.clock)(request)
        configuration = services.queries.configuration()
    assert view.figures is not None
    assert view.other_currencies is not None
    columns = ["kind", "number", "document type", "open ", "figure", "reason"]
    lines = [_line(line, configuration) for line in view.lines or ()]
    rows = [_figures(of.document_type or "payments", of, configuration) for of in view.document_types or ()]
    rows += [_figures("all", of, configuration) for of in (view.figures, *view.other_currencies)]
    headings = ["of", "due ", "future ", "receivable ", "liable ", "overpayment ", "sent back ", "open balance "]
    figures = say.Table(headings, rows, f"{account} as of {view.as_of_day or format_instant(view.as_of)}")
    explained = {"lines": say.Table(columns, lines)} if explain else {}
    say.several(json=json, account=account, asOf=view.as_of_day or view.as_of, **explained, figures=figures)


def _line(line: OpenLine, configuration: Configuration) -> tuple[Any, ...]:
    opened = say.money(line.open_amount, line.currency, configuration)
    return (line.kind.value.lower(), line.number, line.document_type, opened, line.figure, line.reason)


def _figures(of_what: str, of: OpenFigures, configuration: Configuration) -> tuple[Any, ...]:
    amounts = (of.due, of.future, of.receivable, of.liable, of.overpayment, of.sent_back, of.open_balance)
    return (of_what, *(say.money(amount, of.currency, configuration) for amount in amounts))
