"""`expand=codes`: configured things are told with their names, in every read, and nothing else is changed."""

import datetime as dt

import attrs
import pytest

from ocs_adapters.serial.codes import CODED, ref_id_of
from ocs_core.entities.configuration import PaymentMethod
from ocs_core.testkit.examples import UNIT, configuration
from ocs_http.searches import READS

from .conftest import codes

CALLERS_OWN = {"currency": "of the caller", "documentType": "EUR"}


@pytest.fixture
def reads(site):
    """The address of every read, with what it is asked."""
    desk = site.desk
    account = desk.account("A-1")
    desk.document(account=account, custom_attributes=CALLERS_OWN, document_issued_date=dt.date(2024, 5, 1))
    desk.document(account=account, amount=9 * UNIT, currency="USD", payment_method="cash")
    desk.cancel_payment(desk.payment(account=account))
    desk.event(account=account)
    run = desk.collect(dry_run=True)
    paths = [read.path.replace("{refId}", str(run.ref_id)) for read in READS]
    balance = {"externalId": "A-1", "detailIncluded": "true"}
    more = {"read-collection-balance": balance, "read-open-balance": {**balance, "documentTypesIncluded": "true"}}
    return [(path, more.get(path.rpartition("/")[2], {})) for path in paths]


def differences(plain, shown, name=""):
    """Of each property that is shown otherwise: its name, and both values."""
    if plain == shown:
        return
    if isinstance(plain, dict):
        assert plain.keys() == shown.keys()
        for inner in plain:
            yield from differences(plain[inner], shown[inner], inner)
    elif isinstance(plain, list):
        for one, other in zip(plain, shown, strict=True):
            yield from differences(one, other, name)
    else:
        yield name, plain, shown


def test_every_read_shows_configured_things_by_name_and_all_else_as_it_was(site, client, reads):
    expanded = set()
    for path, asked in reads:
        plain, shown = (client.get(path, params={**asked, **more}) for more in ({}, {"expand": "codes"}))
        assert plain.status_code == shown.status_code == 200, shown.text
        for name, code, value in differences(plain.json(), shown.json()):
            section = getattr(site.store.configuration, CODED[name])
            assert value == {"refId": str(ref_id_of(CODED[name], code)), "code": code, "name": section[code].name}
            expanded.add((name, code))
    assert expanded == {
        ("accountType", "payer"),
        ("cancelReason", "mistake"),
        ("currency", "EUR"),
        ("currency", "USD"),
        ("documentType", "genericInvoice"),
        ("paymentMethod", "bankTransfer"),
        ("paymentMethod", "cash"),
    }


def test_names_of_callers_are_no_codes(client, reads):
    items = client.get("/v1/rm/documents", params={"expand": "codes"}).json()["items"]
    assert [item["customAttributes"] for item in items] == [None, CALLERS_OWN]


def test_the_id_of_a_configured_thing_is_the_same_for_ever_and_its_own():
    assert str(ref_id_of("payment_methods", "cash")) == "a0c863ef-041a-5204-97d4-58ea2c34d4d8"
    ids = {ref_id_of(section, code) for section in CODED.values() for code in ("cash", "EUR")}
    assert len(ids) == 2 * len(CODED)


def test_a_name_is_that_of_today_and_null_where_there_is_none(site, client):
    site.desk.payment(payment_method="cash")

    def method():
        return client.get("/v1/rm/payments?expand=codes").json()["items"][0]["paymentMethod"]

    ref_id = str(ref_id_of("payment_methods", "cash"))
    assert method() == {"refId": ref_id, "code": "cash", "name": None}
    site.store.configuration = configuration(PaymentMethod(code="cash", name="Cash"))
    assert method() == {"refId": ref_id, "code": "cash", "name": "Cash"}
    methods = {code: one for code, one in site.store.configuration.payment_methods.items() if code != "cash"}
    site.store.configuration = attrs.evolve(site.store.configuration, payment_methods=methods)
    assert method() == {"refId": ref_id, "code": "cash", "name": None}, "a code that is configured no more"


def test_the_following_page_is_shown_alike(site, client):
    account = site.desk.account("A-1")
    for _ in range(2):
        site.desk.document(account=account)
    first = client.get("/v1/rm/documents?expand=codes&limit=1")
    following = client.get(first.links["next"]["url"])
    assert following.json()["items"][0]["currency"]["name"] == "Euro"


def test_what_cannot_be_expanded_is_told_with_all_else_that_is_wrong(client):
    response = client.get("/v1/rm/payments?expand=everything&limit=0&colour=red")
    assert sorted(codes(response)) == [
        ("FIELD_UNKNOWN", "colour"),
        ("VALUE_NOT_ALLOWED", "expand"),
        ("VALUE_OUT_OF_RANGE", "limit"),
    ]
    assert codes(client.get("/v1/rm/payments?expand=codes&expand=codes")) == [("TYPE_WRONG", "expand")]
