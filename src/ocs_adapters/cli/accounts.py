"""The account that somebody means on the command line."""

from uuid import UUID

from ocs_adapters.cli.commands import Refused
from ocs_core.entities.account import Account, AccountName
from ocs_core.queries import Queries


def account_named(queries: Queries, named: str) -> Account:
    """The account with this externalId or refId. Raises `Refused` where there is none."""
    account = queries.account(AccountName(external_id=named)) or queries.account(_by_ref_id(named))
    if account is None:
        raise Refused(f"There is no account with the externalId or refId {named}.")
    return account


def _by_ref_id(named: str) -> AccountName:
    try:
        return AccountName(ref_id=UUID(named))
    except ValueError:
        return AccountName()
