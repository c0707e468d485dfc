"""A company's own rules, given to the server by a setting."""

import sys
from pathlib import Path

import pytest
from litestar.testing import TestClient

from ocs_adapters.bootstrap.own_rules import own_rules
from ocs_core.errors import OcsError

from .conftest import KEY, Site, codes, headers_of

MODULE = """
from ocs_core.errors import Violation
from ocs_core.usecases.register_payment import RegisterPayment

def worth_it(request, found):
    if request.payment_amount < 1_000_000:
        return Violation("PAYMENT_TOO_SMALL", "/paymentAmount", "We do not take less than one unit.")

OWN = {RegisterPayment: [worth_it]}
NOT_A_MAPPING = [worth_it]
NOT_A_USE_CASE = {"RegisterPayment": [worth_it]}
NOT_A_LIST = {RegisterPayment: worth_it}
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "company_rules.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "company_rules", raising=False)


def test_a_rule_of_ones_own_is_told_with_the_others(site: Site) -> None:
    services = site.services(own_rules=own_rules("company_rules:OWN"))
    body = {
        "requestId": "1",
        "account": {"externalId": "nobody"},
        "paymentAmount": 10_000,
        "currency": "EUR",
        "paymentMethod": "cash",
        "paymentDateReceived": "2024-05-14T07:15:00Z",
    }
    with TestClient(site.app(services)) as client:
        answer = client.post("/v1/rm/payments/register-payment", json=body, headers=headers_of(KEY, "crm"))
    assert codes(answer) == [("ACCOUNT_NOT_FOUND", "/account"), ("PAYMENT_TOO_SMALL", "/paymentAmount")]


@pytest.mark.parametrize(
    "place",
    [
        "nowhere:OWN",
        "company_rules:MISSING",
        "company_rules",
        ":OWN",
        "company_rules:NOT_A_MAPPING",
        "company_rules:NOT_A_USE_CASE",
        "company_rules:NOT_A_LIST",
    ],
)
def test_a_setting_that_names_no_rules_is_told_with_its_value(place: str) -> None:
    with pytest.raises(OcsError, match=f"^OCS_RULES is {place}, which "):
        own_rules(place)


def test_without_the_setting_there_are_none() -> None:
    assert own_rules(None) == {}
