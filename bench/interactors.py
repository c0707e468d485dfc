"""Operations a second of each interactor on the store in memory: what the core itself costs, rules and all.

Run: python -m bench.interactors [--short]
"""

import time
from collections.abc import Callable
from typing import Any

from bench.options import SHORT, check_arguments
from ocs_core.entities.account import AccountState
from ocs_core.entities.chargeable_event import ChargeType
from ocs_core.memory import MemoryStore
from ocs_core.testkit.examples import UNIT, Desk, configuration, named
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent, AdjustChargeableEventRequest
from ocs_core.usecases.identify_payment_in import IdentifyPaymentIn, IdentifyPaymentInRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest

COUNT = 200 if SHORT else 5_000
PAYERS = 100 if SHORT else 2_000


def _operations(desk: Desk) -> dict[str, tuple[int, Callable[[int], Any]]]:
    """Each use-case with how often it is performed, and what it does the n-th time."""
    account = desk.account("bench")
    who = named(account)
    event = desk.event(account=account, charge=UNIT * 10**9, tax=0, tax_rate=2100)
    document = desk.document(account=account, amount=UNIT * 10**9)
    payment = desk.payment(account=account, amount=UNIT * 10**9)
    unidentified = [desk.payment() for _ in range(COUNT)]

    def adjust(n: int) -> Any:
        request = AdjustChargeableEventRequest(
            request_id=f"adjust-{n}",
            chargeable_event_ref_id=event.ref_id,
            charge_type=ChargeType.DEBIT,
            charge_adjustment=UNIT,
            currency="EUR",
            tax_included=True,
        )
        return desk.perform(AdjustChargeableEvent, request)

    def flag(n: int) -> Any:
        request = UpdateInvoicingFlagRequest(request_id=f"flag-{n}", account=who, invoicing_excluded=n % 2 == 0)
        return desk.perform(UpdateInvoicingFlag, request)

    def offset(n: int) -> Any:
        request = UpdateDueDateOffsetRequest(request_id=f"offset-{n}", account=who, due_date_offset=n % 3000)
        return desk.perform(UpdateDueDateOffset, request)

    def state(n: int) -> Any:
        to = AccountState.SUSPENDED if n % 2 == 0 else AccountState.ACTIVE
        return desk.perform(UpdateAccountState, UpdateAccountStateRequest(request_id=f"s-{n}", account=who, state=to))

    def identify(n: int) -> Any:
        request = IdentifyPaymentInRequest(request_id=f"i-{n}", account=who, payment_ref_id=unidentified[n].ref_id)
        return desk.perform(IdentifyPaymentIn, request)

    return {
        "register payment": (COUNT, lambda n: desk.payment(account=account, external_payment_no=f"E-{n}")),
        "adjust chargeable event": (COUNT // 10, adjust),
        "update invoicing flag": (COUNT, flag),
        "update due date offset": (COUNT, offset),
        "create account": (COUNT, lambda n: desk.account(f"A-{n}")),
        "update account state": (COUNT, state),
        "create any document": (COUNT, lambda n: desk.document(account=account, external_document_no=f"D-{n}")),
        "chargeable events (one)": (COUNT, lambda n: desk.event(account=account, external_id=f"V-{n}")),
        "identify payment in": (COUNT, identify),
        "assign payment in to document": (COUNT, lambda n: desk.assign(payment, document, UNIT)),
    }


def _collection() -> float:
    """Payers a second of a collection run, each with ten documents and eight payments."""
    desk = Desk(MemoryStore(configuration()))
    for number in range(PAYERS):
        account = desk.account(f"A-{number}")
        for _ in range(10):
            desk.document(account=account)
        for _ in range(8):
            desk.payment(account=account)
    desk.clock.advance(days=60)
    begin = time.perf_counter()
    desk.collect(as_of=desk.clock())
    return PAYERS / (time.perf_counter() - begin)


def main() -> None:
    check_arguments(__doc__)
    print(f"{'interactor on the store in memory':36}{'operations/s':>14}")
    for name, (count, operation) in _operations(Desk(MemoryStore(configuration()))).items():
        begin = time.perf_counter()
        for n in range(count):
            operation(n)
        print(f"{name:36}{count / (time.perf_counter() - begin):>14,.0f}")
    print(f"{'calculate collection balance':36}{_collection():>14,.0f}  payers/s, 18 items each")


if __name__ == "__main__":
    main()
