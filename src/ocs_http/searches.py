"""The table of reads (domain: section 6): per read a path, what is asked, what answers it, a privilege."""

from collections.abc import Callable
from typing import Any

import attrs

from ocs_adapters.bootstrap import Services
from ocs_core.entities.account import Account
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.entities.process import ProcessRun
from ocs_core.form import Form
from ocs_core.queries import AccountSearch, ChargeableEventSearch, DocumentSearch, PaymentSearch, ProcessRunSearch
from ocs_core.usecases.read_collection_balance import (
    CollectionBalanceView,
    ReadCollectionBalance,
    ReadCollectionBalanceRequest,
)
from ocs_core.usecases.read_open_balance import OpenBalanceView, ReadOpenBalance, ReadOpenBalanceRequest
from ocs_http.processes import ProcessRunRead, read_process_run

Answer = Callable[[Any], Any]
"""Takes the request and gives what is shown: an entity, a view, or a `Page` of entities."""


@attrs.frozen
class Read:
    """One read. `result` is the type of what is shown; `paged`: a list of it, page by page; `is_of_everything`: it looks at
    all that a payer has."""

    path: str
    name: str
    request: type[Form]
    privilege: str
    answer: Callable[[Services], Answer]
    result: type
    paged: bool = True
    is_of_everything: bool = False

    @property
    def route(self) -> str:
        """The path as the framework writes it: `{refId:str}`."""
        return self.path.replace("}", ":str}")


READS = (
    Read(
        "/v1/rm/payments",
        "SearchPayments",
        PaymentSearch,
        "payment:read",
        lambda services: services.queries.payments,
        Payment,
    ),
    Read(
        "/v1/rm/documents",
        "SearchDocuments",
        DocumentSearch,
        "document:read",
        lambda services: services.queries.documents,
        Document,
    ),
    Read(
        "/v1/rm/chargeable-events",
        "SearchChargeableEvents",
        ChargeableEventSearch,
        "chargeable-event:read",
        lambda services: services.queries.chargeable_events,
        ChargeableEvent,
    ),
    Read(
        "/v1/casm/accounts",
        "SearchAccounts",
        AccountSearch,
        "account:read",
        lambda services: services.queries.accounts,
        Account,
    ),
    Read(
        "/v1/rm/payer/read-collection-balance",
        "ReadCollectionBalance",
        ReadCollectionBalanceRequest,
        "payer:read",
        lambda services: ReadCollectionBalance(services.queries, clock=services.clock),
        CollectionBalanceView,
        paged=False,
        is_of_everything=True,
    ),
    Read(
        "/v1/rm/payer/read-open-balance",
        "ReadOpenBalance",
        ReadOpenBalanceRequest,
        "payer:read",
        lambda services: ReadOpenBalance(services.queries, clock=services.clock),
        OpenBalanceView,
        paged=False,
        is_of_everything=True,
    ),
    Read(
        "/v1/rm/processes/runs",
        "SearchProcessRuns",
        ProcessRunSearch,
        "collection:read",
        lambda services: services.queries.runs,
        ProcessRun,
    ),
    Read(
        "/v1/rm/processes/runs/{refId}",
        "ReadProcessRun",
        ProcessRunRead,
        "collection:read",
        read_process_run,
        ProcessRun,
        paged=False,
    ),
)
