"""What every operation answers, as it does on a made-up morning: the examples of commands performed one after the other, and
what can be read then. The same every time, so that the OpenAPI document is.
"""

import functools
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from ocs_adapters.bootstrap import Services, in_memory
from ocs_adapters.serial import decode_request, encode, encode_answer
from ocs_adapters.serial.examples import MASTER_DATA, NOW
from ocs_core.entities.configuration import Reason
from ocs_core.memory import MemoryIds, MemoryStore
from ocs_http.operations import OPERATIONS
from ocs_http.parameters import decode_query
from ocs_http.searches import READS

_REASONS = (Reason(code="mistake", kind="cancellation"), Reason(code="bankRefused", kind="cancellation"))


@attrs.frozen
class Answered:
    """An operation's example: the body that was given, None of a read, and the answer."""

    body: Mapping[str, Any] | None
    answer: Any


@functools.cache
def answered() -> Mapping[str, Answered]:
    """The example of every operation, by its name."""
    clock = lambda: NOW  # noqa: E731
    store = MemoryStore(MASTER_DATA.with_entries(_REASONS))
    morning = _Morning(attrs.evolve(in_memory(store), clock=clock, ids=MemoryIds(clock)))
    morning.go_by()
    return morning.told


@attrs.define
class _Morning:
    services: Services
    told: dict[str, Answered] = attrs.field(factory=dict)

    def go_by(self) -> None:
        perform, first = self._perform, self._first
        account = first(perform("CreateAccount"))
        event = first(perform("FeedChargeableEvents"))
        perform("AdjustChargeableEvent", chargeableEventRefId=event["refId"])
        for change in ("UpdateInvoicingFlag", "UpdateDueDateOffset", "UpdatePayer"):
            perform(change)
        document, payment = first(perform("CreateAnyDocument")), first(perform("RegisterPayment"))
        perform("CancelPaymentInIdentification")
        perform("IdentifyPaymentIn", paymentRefId=payment["refId"])
        sides = {"paymentRefId": payment["refId"], "documentRefId": document["refId"]}
        assigned = perform("AssignPaymentInToDocument", **sides)
        run = first(perform("CalculateCollectionBalance"))
        of_a_payer = {"refId": account["refId"], "calculationForced": "true", "detailIncluded": "true"}
        asked = {
            "ReadCollectionBalance": of_a_payer,
            "ReadOpenBalance": of_a_payer,
            "ReadProcessRun": {"refId": run["refId"]},
        }
        for read in READS:
            answer = read.answer(self.services)(decode_query(read.request, asked.get(read.name, {})))
            self.told[read.name] = Answered(None, msgspec.json.decode(encode(answer)))
        (settlement,) = {
            step["object"]["monetaryTransaction"]["monetaryTransactionRefId"]
            for step in assigned
            if "monetaryTransaction" in step["object"]
        }
        perform("CancelPaymentInAssignment", monetaryTransactionRefId=settlement)
        perform("CancelProcessRun", refId=run["refId"])
        perform("CancelPayment", paymentNo=payment["paymentNo"])
        for last in ("CancelDocument", "UpdateAccountState"):
            perform(last)

    def _perform(self, name: str, **own: Any) -> Any:
        """Perform an operation's example, with ids of what is really there."""
        (operation,) = (operation for operation in OPERATIONS if operation.name == name)
        body = {**operation.example, **own}
        performed = self.services.use_case(operation.use_case)(decode_request(operation.request, body))
        self.told[name] = Answered(body, msgspec.json.decode(encode_answer(performed)))
        return self.told[name].answer

    @staticmethod
    def _first(steps: Any) -> Any:
        return steps[0]["object"]
