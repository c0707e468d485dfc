"""Cancel document (domain: sections 3 and 7)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName
from ocs_core.entities.configuration import CANCELLATION
from ocs_core.entities.document import Document, DocumentName
from ocs_core.form import Code, ExternalId, one_of
from ocs_core.ports import AccountNamed, DocumentNamed, Found, LiveSettlements, OwnerOf
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class CancelDocumentRequest(Command):
    """A document of any type, named by its id or one of its numbers, and why it is cancelled."""

    account: AccountName | None = None
    document_ref_id: UUID | None = None
    document_no: Code | None = None
    external_document_no: ExternalId | None = None
    reason: Code

    @classmethod
    def also_required(cls, given: Mapping[str, Any]) -> Collection[str]:
        return one_of(given, "document_ref_id", "document_no", "external_document_no")

    @property
    def document(self) -> DocumentName:
        return DocumentName(
            ref_id=self.document_ref_id, document_no=self.document_no, external_document_no=self.external_document_no
        )


@attrs.frozen
class _Wanted:
    account: AccountNamed
    document: DocumentNamed
    settlements: LiveSettlements
    owner: OwnerOf


class CancelDocument(UseCase[CancelDocumentRequest, _Wanted]):
    """Cancels a document that nothing is assigned to. Its due amount stays, so that a balance before now can still be told.

    Publishes `document`.
    """

    answers = (Document,)
    applies = (
        *rules.accounts.NAMED_ACCOUNT,
        rules.accounts.account_is_not_deactivated,
        rules.accounts.account_owns,
        rules.common.reason_is_configured,
        rules.documents.document_exists,
        rules.documents.document_is_not_assigned,
        rules.documents.document_is_not_cancelled,
    )

    def wanted(self, request: CancelDocumentRequest) -> _Wanted:
        document = DocumentNamed(request.document)
        return _Wanted(
            AccountNamed(request.account), document, LiveSettlements(document=request.document), OwnerOf(document)
        )

    def execute(self, request: CancelDocumentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, document, owner = found[wanted.account], found[wanted.document], found[wanted.owner]
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=False),
            rules.accounts.account_is_not_deactivated(owner),
            rules.accounts.account_owns(account, owner),
            rules.documents.document_exists(request.document, document),
            rules.documents.document_is_not_cancelled(document),
            rules.documents.document_is_not_assigned(found[wanted.settlements]),
            rules.common.reason_is_configured(found.configuration, request.reason, CANCELLATION),
            fields=fields_of(CancelDocumentRequest),
        )
        assert document is not None

        cancelled = attrs.evolve(document, cancelled=True, cancel_reason=request.reason, cancelled_at=work.now)
        work.publish(work.save(cancelled, before=document))
