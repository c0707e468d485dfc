"""The states of an account, and who answers for it."""

from typing import Any

import pytest

from ocs_core.entities.account import Account, AccountName, AccountState
from ocs_core.entities.configuration import AccountType
from ocs_core.errors import RequestRejected
from ocs_core.testkit.examples import Desk, named

from .scene import NOTHING, Scene

INACTIVE, ACTIVE, SUSPENDED, DEACTIVATED = AccountState
ALLOWED = {
    (INACTIVE, ACTIVE),
    (ACTIVE, SUSPENDED),
    (SUSPENDED, ACTIVE),
    (ACTIVE, DEACTIVATED),
    (SUSPENDED, DEACTIVATED),
}
WAYS = {INACTIVE: [], ACTIVE: [ACTIVE], SUSPENDED: [ACTIVE, SUSPENDED], DEACTIVATED: [ACTIVE, DEACTIVATED]}


@pytest.mark.parametrize("after", AccountState)
@pytest.mark.parametrize("before", AccountState)
def test_an_account_changes_its_state_only_as_the_domain_says(
    scene: Scene, before: AccountState, after: AccountState
) -> None:
    account: Account = scene.desk.account("B-1", state=INACTIVE)
    for state in WAYS[before]:
        scene.become(account, state)
    version = scene.now_is(account).version
    request = scene.request("UpdateAccountState", account=named(account), state=after)

    if before is after or (before, after) in ALLOWED:
        scene.perform("UpdateAccountState", request)
        assert scene.now_is(account).state is after
        assert scene.now_is(account).version == version + (before is not after)
    else:
        with pytest.raises(RequestRejected, match="ACCOUNT_STATE_TRANSITION at /state"):
            scene.perform("UpdateAccountState", request)
        assert scene.now_is(account).state is before


@pytest.mark.parametrize("state", [INACTIVE, SUSPENDED])
def test_money_may_come_in_for_an_account_that_is_not_deactivated(scene: Scene, state: AccountState) -> None:
    account = scene.desk.account("B-1", state=INACTIVE)
    for each in WAYS[state]:
        scene.become(account, each)

    assert scene.desk.payment(account=account).account == account.ref


def chain(desk: Desk, *account_types: str) -> list[Account]:
    """Accounts of these types, each the child of the one before."""
    accounts: list[Account] = []
    for account_type in account_types:
        more = {"parent": named(accounts[-1])} if accounts and accounts[-1].external_id else {}
        accounts.append(desk.account(f"{account_type}-{len(accounts)}", account_type=account_type, **more))
    return accounts


def test_the_nearest_responsible_ancestor_answers_for_an_account(scene: Scene) -> None:
    types = ("technical", "payer", "technical", "technical", "payer", "technical")
    accounts = chain(scene.desk, *types)

    answers = [account.payer_account and account.payer_account.external_id for account in accounts]
    assert answers == [None, "payer-1", "payer-1", "payer-1", "payer-4", "payer-4"]
    assert [account.parent for account in accounts] == [None, *(account.ref for account in accounts[:-1])]


def test_an_account_may_be_named_by_either_id_or_by_both(scene: Scene) -> None:
    by_both = named(scene.payer)
    for name in ({"ref_id": by_both.ref_id}, {"external_id": by_both.external_id}):
        request = scene.request("RegisterPayment", account=type(by_both)(**name))
        assert scene.perform("RegisterPayment", request).steps[0].object.account == scene.payer.ref


def test_ids_compare_exactly(scene: Scene) -> None:
    assert scene.desk.account("a-1").ref_id != scene.payer.ref_id


def test_several_accounts_may_be_without_an_external_id(scene: Scene) -> None:
    assert scene.desk.account().ref_id != scene.desk.account().ref_id


def test_an_account_that_does_not_exist_is_told_by_the_id_it_was_named_by(scene: Scene) -> None:
    for named_by, words in (
        (AccountName(external_id="nobody"), "externalId nobody"),
        (AccountName(ref_id=NOTHING), "refId 0000"),
    ):
        with pytest.raises(RequestRejected, match=f"There is no account with {words}"):
            scene.perform("RegisterPayment", scene.request("RegisterPayment", account=named_by))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parent": AccountName()}, "Name the parent by its refId"),
        ({"parent": AccountName(external_id="nobody")}, "no account with externalId nobody to be the parent"),
        ({"account_type": "old"}, "Account type old is disabled"),
        ({"account_type": "gone"}, "Account type gone is not configured"),
    ],
)
def test_a_refused_new_account_is_told_what_to_do_about_it(
    scene: Scene, changes: dict[str, Any], sentence: str
) -> None:
    scene.configure(account_types={"old": AccountType(code="old", disabled=True), "payer": AccountType(code="payer")})

    with pytest.raises(RequestRejected, match=sentence):
        scene.perform("CreateAccount", scene.request("CreateAccount", **changes))
