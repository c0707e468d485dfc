"""What every operation answers: its example performed after those that it names, and what can be read after many. The same every
time, so that the OpenAPI document is.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import msgspec

from ocs_adapters.bootstrap import Services, in_memory
from ocs_adapters.serial import decode_request, encode, encode_answer
from ocs_adapters.serial.examples import MASTER_DATA, NOW
from ocs_core.entities.configuration import Reason
from ocs_core.memory import MemoryIds, MemoryStore
from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent
from ocs_core.usecases.assign_payment_in_to_document import AssignPaymentInToDocument
from ocs_core.usecases.perform import UseCase
from ocs_core.usecases.start_collection_run import StartCollectionRun
from ocs_http.operations import OPERATIONS, Operation
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
    commands = {operation.name: _Morning().performed(operation.use_case) for operation in OPERATIONS}
    return commands | dict(_reads(_Morning()))


def _reads(morning: "_Morning") -> Iterator[tuple[str, Answered]]:
    for before in _BEFORE_READS:
        morning.performed(before)
    of_a_payer = {"refId": morning.known["accountRefId"], "calculationForced": "true", "detailIncluded": "true"}
    asked = {
        "ReadCollectionBalance": of_a_payer,
        "ReadOpenBalance": of_a_payer,
        "ReadProcessRun": {"refId": morning.known["processRunRefId"]},
    }
    for read in READS:
        answer = read.answer(morning.services)(decode_query(read.request, asked.get(read.name, {})))
        yield read.name, Answered(None, msgspec.json.decode(encode(answer)))


def _services() -> Services:
    clock = lambda: NOW  # noqa: E731
    store = MemoryStore(MASTER_DATA.with_entries(_REASONS))
    return attrs.evolve(in_memory(store), clock=clock, ids=MemoryIds(clock))


@attrs.frozen
class _Morning:
    """A made-up one, on which nothing has happened yet."""

    services: Services = attrs.field(factory=_services, init=False)
    known: dict[str, str] = attrs.field(factory=dict, init=False)
    """The ids in the answers so far, by the names that requests have for them."""
    _told: dict[type, Answered] = attrs.field(factory=dict, init=False)

    def performed(self, use_case: type[UseCase[Any, Any]]) -> Answered:
        """The example of an operation, with ids of what is really there; what it comes after is performed first."""
        if use_case not in self._told:
            operation = _OF[use_case]
            for before in operation.after:
                self.performed(before)
            self._told[use_case] = self._perform(operation)
        return self._told[use_case]

    def _perform(self, operation: Operation) -> Answered:
        body = {name: self.known.get(name, value) for name, value in operation.example.items()}
        performed = self.services.use_case(operation.use_case)(decode_request(operation.request, body))
        answer = msgspec.json.decode(encode_answer(performed))
        for step in answer:
            self.known.update(_ids_in(step))
        return Answered(body, answer)


def _ids_in(step: Any) -> Iterator[tuple[str, str]]:
    kind, entity = step["objectType"].removesuffix("Ex"), step["object"]
    if "refId" in entity:
        yield "refId", entity["refId"]
        yield f"{kind[0].lower()}{kind[1:]}RefId", entity["refId"]
    yield from ((name, value) for name, value in entity.items() if name.endswith("No") and value is not None)
    settled = entity.get("monetaryTransaction") or {}
    yield from ((name, value) for name, value in settled.items() if name == "monetaryTransactionRefId")


_OF = {operation.use_case: operation for operation in OPERATIONS}
_BEFORE_READS = (AdjustChargeableEvent, AssignPaymentInToDocument, StartCollectionRun)
