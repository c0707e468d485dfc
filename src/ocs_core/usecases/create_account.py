"""Create account (domain: sections 3 and 6)."""

import attrs

from ocs_core import rules
from ocs_core.entities.account import Account, AccountName, AccountState, Payer
from ocs_core.form import Code, ExternalId, Label
from ocs_core.ports import AccountNamed, Found, Taken
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class CreateAccountRequest(Command):
    """A new account. Its type says whether it is payment responsible; type and currency never change."""

    external_id: ExternalId | None = None
    account_type: Code
    currency: Code
    customer: Label | None = None
    parent: AccountName | None = None
    segment: Label | None = None
    bill_cycle: Label | None = None
    custom_name: Label | None = None
    state: AccountState = AccountState.ACTIVE


@attrs.frozen
class _Wanted:
    external_id: Taken
    parent: AccountNamed


class CreateAccount(UseCase[CreateAccountRequest, _Wanted]):
    """Creates an account, and its payer where the account type is payment responsible.

    Publishes `account`, and `payer` where there is one.
    """

    answers = (Account, Payer)
    applies = (
        rules.accounts.account_may_begin_in,
        rules.accounts.account_type_is_configured,
        rules.accounts.external_account_id_is_new,
        rules.accounts.named_parent_has_an_id,
        rules.accounts.parent_exists,
        rules.accounts.parent_ids_agree,
        rules.accounts.parent_is_not_deactivated,
        rules.common.currency_is_configured,
    )

    def wanted(self, request: CreateAccountRequest) -> _Wanted:
        return _Wanted(Taken("external_account_id", request.external_id), AccountNamed(request.parent))

    def execute(self, request: CreateAccountRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        parent = found[wanted.parent]
        rules.check(
            rules.accounts.external_account_id_is_new(request.external_id, found[wanted.external_id]),
            rules.accounts.account_type_is_configured(found.configuration, request.account_type),
            rules.common.currency_is_configured(found.configuration, request.currency),
            rules.accounts.named_parent_has_an_id(request.parent),
            rules.accounts.parent_exists(request.parent, parent),
            rules.accounts.parent_ids_agree(request.parent, parent),
            rules.accounts.parent_is_not_deactivated(parent),
            rules.accounts.account_may_begin_in(request.state),
            fields=fields_of(CreateAccountRequest),
        )

        account = Account(
            ref_id=work.ids(),
            external_id=request.external_id,
            account_type=request.account_type,
            currency=request.currency,
            customer=request.customer,
            parent=parent.ref if parent else None,
            payer_account=parent.payer_account if parent else None,
            segment=request.segment,
            bill_cycle=request.bill_cycle,
            custom_name=request.custom_name,
            state=request.state,
        )
        if not found.configuration.account_types[request.account_type].payment_responsible:
            work.publish(work.add(account))
            return
        work.publish(work.add(attrs.evolve(account, payer_account=account.ref)))
        work.publish(work.add(Payer(account=account.ref, account_type=account.account_type)))
