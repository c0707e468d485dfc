"""Update due date offset (domain: section 4)."""

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName, Payer
from ocs_core.form import Code, DueDateOffset
from ocs_core.ports import AccountNamed, Found, PayerOf
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class UpdateDueDateOffsetRequest(Command):
    """Days from a document's issue to its due day: 0 to 3650, or null to follow the default again. It must be present."""

    account: AccountName | None = None
    due_date_offset: DueDateOffset | None
    document_type: Code | None = None


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf


class UpdateDueDateOffset(UseCase[UpdateDueDateOffsetRequest, _Wanted]):
    """Sets or removes a payer's general due date offset, or, with a document type, that type's.

    The general one leaves those per type alone. Documents that exist keep their due day.
    Publishes `payer`; where nothing changed, nothing is saved or published.
    """

    answers = (Payer,)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.documents.document_type_is_configured,
    )

    def wanted(self, request: UpdateDueDateOffsetRequest) -> _Wanted:
        return _Wanted(AccountNamed(request.account), PayerOf(request.account, exclusively=True))

    def execute(self, request: UpdateDueDateOffsetRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payer = found[wanted.account], found[wanted.payer]
        rules.check(
            *rules.accounts.payer_is_found(request.account, account, payer),
            rules.documents.document_type_is_configured(found.configuration, request.document_type),
            fields=fields_of(UpdateDueDateOffsetRequest),
        )
        assert payer is not None

        offset = request.due_date_offset
        if request.document_type is None:
            changed = attrs.evolve(payer, due_date_offset=offset)
        else:
            others = {code: days for code, days in payer.due_date_offsets.items() if code != request.document_type}
            of_type = {} if offset is None else {request.document_type: offset}
            changed = attrs.evolve(payer, due_date_offsets=others | of_type)
        if changed != payer:
            work.publish(work.save(changed, before=payer))
