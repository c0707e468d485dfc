"""Rules about accounts and payers."""

import datetime as dt
from typing import Final

from ocs_core.entities.account import Account, AccountName, AccountRef, AccountState, Payer
from ocs_core.entities.configuration import Configuration
from ocs_core.entities.payment import Payment
from ocs_core.rules.rule import Judged, rule


@rule("ACCOUNT_REQUIRED", "/account")
def account_is_given(named: AccountName | None) -> str | None:
    """The account is named, by refId or externalId."""
    return None if named is not None and named.is_given else "Name the account by its refId or its externalId."


@rule("ACCOUNT_REQUIRED", "/account")
def named_account_has_an_id(named: AccountName | None) -> str | None:
    """An account that is named has a refId or an externalId."""
    return (
        None if named is None or named.is_given else "Name the account by its refId or its externalId, or leave it out."
    )


@rule("ACCOUNT_NOT_FOUND", "/account")
def account_exists(named: AccountName | None, account: Account | None) -> str | None:
    """The account exists."""
    if named is None or not named.is_given or account is not None:
        return None
    return f"There is no account with {_ids(named)}."


@rule("ACCOUNT_IDS_DISAGREE", "/account")
def account_ids_agree(named: AccountName | None, account: Account | None) -> str | None:
    """Where an account is named by both ids, they are of one account."""
    if named is None or account is None or named.agrees_with(account):
        return None
    return f"The account with refId {account.ref_id} does not have the externalId {named.external_id}."


@rule("ACCOUNT_DEACTIVATED", "/account")
def account_is_not_deactivated(account: Account | None) -> str | None:
    """The account is not DEACTIVATED."""
    if account is None or account.state is not AccountState.DEACTIVATED:
        return None
    return "The account is DEACTIVATED; nothing can be done with it any more."


@rule("PAYER_NOT_FOUND", "/account")
def payer_exists(account: Account | None, payer: Payer | AccountRef | None) -> str | None:
    """The account is payment responsible: it has a payer."""
    if account is None or payer is not None:
        return None
    return "The account is a technical one; name its payment responsible account."


@rule("PAYER_NOT_FOUND", "/account")
def somebody_pays_for_the_account(account: Account | None) -> str | None:
    """The account is payment responsible, or one of its ancestors is."""
    if account is None or account.payer_account is not None:
        return None
    return "Neither the account nor an ancestor of it is payment responsible."


@rule("ACCOUNT_NOT_OWNER", "/account")
def account_owns(account: Account | None, owner: Account | None) -> str | None:
    """The account named owns what the operation is about, or answers for its owner as the payer."""
    if account is None or owner is None or account.ref in {owner.ref, owner.payer_account}:
        return None
    return "It belongs to another account."


@rule("ACCOUNT_NOT_OWNER", "/account")
def account_owns_the_payment(account: Account | None, payment: Payment | None) -> str | None:
    """The account named owns the payment; an unidentified one is nobody's."""
    if account is None or payment is None or payment.account == account.ref:
        return None
    return "The payment belongs to another account." if payment.account else "The payment belongs to no account."


@rule("ACCOUNT_REQUIRED", "/parent")
def named_parent_has_an_id(named: AccountName | None) -> str | None:
    """A parent that is named has a refId or an externalId."""
    return (
        None if named is None or named.is_given else "Name the parent by its refId or its externalId, or leave it out."
    )


@rule("ACCOUNT_NOT_FOUND", "/parent")
def parent_exists(named: AccountName | None, parent: Account | None) -> str | None:
    """The parent account exists."""
    if named is None or not named.is_given or parent is not None:
        return None
    return f"There is no account with {_ids(named)} to be the parent."


@rule("ACCOUNT_IDS_DISAGREE", "/parent")
def parent_ids_agree(named: AccountName | None, parent: Account | None) -> str | None:
    """Where the parent is named by both ids, they are of one account."""
    if named is None or parent is None or named.agrees_with(parent):
        return None
    return f"The account with refId {parent.ref_id} does not have the externalId {named.external_id}."


@rule("ACCOUNT_DEACTIVATED", "/parent")
def parent_is_not_deactivated(parent: Account | None) -> str | None:
    """The parent account is not DEACTIVATED."""
    if parent is None or parent.state is not AccountState.DEACTIVATED:
        return None
    return "The parent account is DEACTIVATED."


@rule("EXTERNAL_ID_EXISTS", "/externalId")
def external_account_id_is_new(external_id: str | None, taken: bool) -> str | None:
    """No other account has the externalId."""
    return f"Another account has the externalId {external_id}." if taken else None


@rule("ACCOUNT_TYPE_NOT_CONFIGURED", "/accountType")
def account_type_is_configured(configuration: Configuration, code: str) -> str | None:
    """The account type is configured and not disabled."""
    configured = configuration.account_types.get(code)
    if configured is not None and not configured.disabled:
        return None
    return f"Account type {code} is {'disabled' if configured else 'not configured'}."


@rule("ACCOUNT_STATE_TRANSITION", "/state")
def account_may_begin_in(state: AccountState) -> str | None:
    """A new account is INACTIVE or ACTIVE."""
    return None if state in {AccountState.INACTIVE, AccountState.ACTIVE} else f"A new account cannot be {state}."


@rule("ACCOUNT_STATE_TRANSITION", "/state")
def account_may_become(account: Account | None, state: AccountState) -> str | None:
    """The account may go from its state to the new one."""
    if account is None or account.state.may_become(state):
        return None
    return f"An account that is {account.state} cannot become {state}."


@rule("INVOICING_EXCLUDED_TO_WITHOUT_EXCLUSION", "/invoicingExcludedTo")
def exclusion_end_goes_with_exclusion(excluded: bool, end: dt.datetime | None) -> str | None:
    """An end of the exclusion is given only where invoicing is excluded."""
    return "An end goes only with invoicingExcluded true." if end is not None and not excluded else None


@rule("INVOICING_EXCLUDED_TO_NOT_IN_FUTURE", "/invoicingExcludedTo")
def exclusion_end_is_in_the_future(end: dt.datetime | None, now: dt.datetime) -> str | None:
    """The end of the exclusion lies in the future."""
    return "The end of the exclusion has passed already." if end is not None and end <= now else None


def _ids(named: AccountName) -> str:
    return f"refId {named.ref_id}" if named.ref_id is not None else f"externalId {named.external_id}"


_FOUND = (account_exists, account_ids_agree)
NAMED_ACCOUNT: Final = (named_account_has_an_id, *_FOUND)
"""What `account_is_found` judges where an account may be named."""
NEEDED_ACCOUNT: Final = (account_is_given, *_FOUND)
"""The same where it must be."""
NEEDED_PAYER: Final = (*NEEDED_ACCOUNT, account_is_not_deactivated, payer_exists)
"""What `payer_is_found` judges where an account must be named."""


def account_is_found(named: AccountName | None, account: Account | None, *, needed: bool) -> Judged:
    """What holds of the account that a request names; `needed`: it must name one."""
    return (
        account_is_given(named) if needed else named_account_has_an_id(named),
        account_exists(named, account),
        account_ids_agree(named, account),
    )


def payer_is_found(
    named: AccountName | None, account: Account | None, payer: Payer | AccountRef | None, *, needed: bool = True
) -> Judged:
    """The same, of an account that is to pay."""
    return (
        *account_is_found(named, account, needed=needed),
        account_is_not_deactivated(account),
        payer_exists(account, payer),
    )
