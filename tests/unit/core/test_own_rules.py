"""An embedder's own rules are judged with the core's: a caller learns of all that is broken at once."""

import attrs
import pytest

from ocs_core.errors import RequestRejected, Violation
from ocs_core.ports import AccountNamed, Found
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest

from .scene import Scene, everything_in


def no_cash_on_tuesdays(request: RegisterPaymentRequest, found: Found) -> Violation | None:
    if request.payment_method != "cash":
        return None
    return Violation("NO_CASH_TODAY", "/paymentMethod", "We take no cash on Tuesdays.")


def known_customers_alone(request: RegisterPaymentRequest, found: Found) -> Violation | None:
    account = found[AccountNamed(request.account)]
    if account is not None and account.external_id == "A-1":
        return None
    return Violation("STRANGER", "/account", "We take money of those we know.")


def told(scene: Scene, request: RegisterPaymentRequest) -> list[str]:
    register = RegisterPayment(
        scene.store, clock=scene.clock, ids=scene.desk.ids, own_rules=(no_cash_on_tuesdays, known_customers_alone)
    )
    before = everything_in(scene.store)
    with pytest.raises(RequestRejected) as refused:
        register(request)
    assert everything_in(scene.store) == before
    assert refused.value.__context__ is None
    return [violation.code for violation in refused.value.violations]


def test_what_is_broken_of_either_is_told_at_once_in_the_order_of_the_request(scene: Scene) -> None:
    request = attrs.evolve(
        scene.request("RegisterPayment"), account=None, payment_method="cash", payment_amount=1, currency="XXX"
    )
    assert told(scene, request) == ["STRANGER", "CURRENCY_NOT_CONFIGURED", "NO_CASH_TODAY"]


def test_where_the_core_finds_nothing_the_own_rules_still_refuse_and_nothing_is_left(scene: Scene) -> None:
    request = attrs.evolve(scene.request("RegisterPayment"), account=None, payment_method="cash")
    assert told(scene, request) == ["STRANGER", "NO_CASH_TODAY"]


def test_where_they_are_kept_the_command_is_performed_and_its_repetition_is_not_judged_again(scene: Scene) -> None:
    judged: list[str] = []

    def never_twice(request: RegisterPaymentRequest, found: Found) -> Violation | None:
        judged.append(request.request_id)
        return None

    register = RegisterPayment(scene.store, clock=scene.clock, ids=scene.desk.ids, own_rules=(never_twice,))
    request = scene.request("RegisterPayment")
    assert [register(request).replayed, register(request).replayed] == [False, True]
    assert judged == [request.request_id]
