"""Update account state (domain: sections 3 and 6)."""

import attrs

from ocs_core import rules
from ocs_core.entities.account import Account, AccountName, AccountState
from ocs_core.ports import AccountNamed, Found
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class UpdateAccountStateRequest(Command):
    account: AccountName | None = None
    state: AccountState


@attrs.frozen
class _Wanted:
    account: AccountNamed


class UpdateAccountState(UseCase[UpdateAccountStateRequest, _Wanted]):
    """Takes an account to another state: INACTIVE → ACTIVE ↔ SUSPENDED → DEACTIVATED and ACTIVE → DEACTIVATED.

    The account is read exclusively: no command that leans on its old state lands after this one.
    Publishes `account`; where nothing changed, nothing is saved or published.
    """

    answers = (Account,)
    applies = (
        *rules.accounts.NEEDED_ACCOUNT,
        rules.accounts.account_may_become,
    )

    def wanted(self, request: UpdateAccountStateRequest) -> _Wanted:
        return _Wanted(AccountNamed(request.account, exclusively=True))

    def execute(self, request: UpdateAccountStateRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account = found[wanted.account]
        rules.check(
            *rules.accounts.account_is_found(request.account, account, needed=True),
            rules.accounts.account_may_become(account, request.state),
            fields=fields_of(UpdateAccountStateRequest),
        )
        assert account is not None

        if account.state is not request.state:
            work.publish(work.save(attrs.evolve(account, state=request.state), before=account))
