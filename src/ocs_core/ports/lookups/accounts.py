"""Looking up accounts and their payers."""

from collections.abc import Mapping
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName, Payer
from ocs_core.ports.lookups.charging import ChargeableEventWithId
from ocs_core.ports.lookups.items import DocumentNamed, PaymentNamed
from ocs_core.ports.lookups.lookup import Lookup
from ocs_core.ports.lookups.settlements import SettlementWithId


@attrs.frozen
class AccountNamed(Lookup[Account | None]):
    """An account, technical ones too; None where nobody is named. It is shared until the commit, so that nobody deactivates it
    meanwhile, or read exclusively, to be changed."""

    name: AccountName | None
    exclusively: bool = attrs.field(default=False, eq=False)


@attrs.frozen
class PayerOf(Lookup[Payer | None]):
    """The payer of the account that is named; a technical account has none, its `payer_account` says who pays. Not locked, or
    read exclusively, to be changed."""

    name: AccountName | None
    exclusively: bool = attrs.field(default=False, eq=False)


@attrs.frozen
class AccountsNamed(Lookup[Mapping[AccountName, Account]]):
    """Those accounts that there are, each by the name that it was asked by; shared until the commit."""

    names: tuple[AccountName, ...]


@attrs.frozen
class PayersOf(Lookup[Mapping[UUID, Payer]]):
    """The payers of these accounts, by the account's ref_id; not locked."""

    names: tuple[AccountName, ...]


@attrs.frozen
class OwnerOf(Lookup[Account | None]):
    """The account that something belongs to, shared until the commit; an unidentified payment has none."""

    item: PaymentNamed | DocumentNamed | SettlementWithId | ChargeableEventWithId
