"""Accounts and payers in memory."""

from collections.abc import Mapping
from uuid import UUID

from ocs_core.entities.account import Account, AccountName, AccountRef, Payer
from ocs_core.memory.journal import Journal
from ocs_core.memory.lookups.answering import answer
from ocs_core.ports import AccountNamed, AccountsNamed, OwnerOf, PayerOf, PayersOf


def account_named(name: AccountName | None, journal: Journal) -> Account | None:
    """The account that has the ref_id, else the one that has the external id."""
    if name is None or not name.is_given:
        return None
    return journal.one(Account, name.ref_id or journal.store.unique.get(("uq_accounts_external_id", name.external_id)))


@answer.register
def _account(lookup: AccountNamed, journal: Journal) -> Account | None:
    return account_named(lookup.name, journal)


@answer.register
def _payer(lookup: PayerOf, journal: Journal) -> Payer | None:
    account = account_named(lookup.name, journal)
    return journal.one(Payer, account.ref_id) if account else None


@answer.register
def _accounts(lookup: AccountsNamed, journal: Journal) -> Mapping[AccountName, Account]:
    return {name: account for name in lookup.names if (account := account_named(name, journal))}


@answer.register
def _payers(lookup: PayersOf, journal: Journal) -> Mapping[UUID, Payer]:
    accounts = [account.ref_id for name in lookup.names if (account := account_named(name, journal))]
    return {ref: payer for ref in accounts if (payer := journal.one(Payer, ref))}


@answer.register
def _owner(lookup: OwnerOf, journal: Journal) -> Account | None:
    item = answer(lookup.item, journal)
    owner: AccountRef | None = item.account if item else None
    return journal.one(Account, owner.ref_id) if owner else None
