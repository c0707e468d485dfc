"""How every command runs: form, replay, rules, business logic, messages, all in one unit of work (domain: sections 1 and 2).

Everyone comes through here, HTTP, command line, imports and embedders, so all get replay and the bounded retry.
"""

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, get_args, get_origin

import attrs

from ocs_core import rules
from ocs_core.errors import Conflict, RequestRejected, StoreBusy, StoreTooSlow, StoreUnavailable, Violation
from ocs_core.form import ExternalId, Form, Label, wire_name
from ocs_core.messages import Response
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import Clock, Found, Ids, Lookup, Store
from ocs_core.rules.common import ANSWERS_KEPT
from ocs_core.usecases.work import Work

ATTEMPTS = 8
"""How often a command is tried when somebody else is faster each time."""
STORE_ATTEMPTS = 3
"""How often it is tried when the store does not answer: a connection may be stale, a server be restarting."""


@attrs.frozen(kw_only=True)
class Command(Form):
    """What every command carries: `request_id` makes it safe to repeat, `transaction_id` (default: the request id) goes on
    every message, `user` is who asked for it."""

    request_id: ExternalId
    user: Label | None = None
    transaction_id: ExternalId | None = None


@attrs.frozen
class NothingWanted:
    """What a use-case wants that looks nothing up."""


R = TypeVar("R", bound=Command)
W = TypeVar("W", bound=attrs.AttrsInstance)
OF_EVERY_COMMAND: Final = (rules.common.request_is_the_same, rules.common.answer_is_still_kept)
"""The rules of a request id."""
OwnRule = Callable[[Any, Found], Violation | None]
"""A rule of an embedder's own, of the request and what was found for it (`ocs_core.rules.rule.rule` makes one): whatever the
use-case looks up, it may ask for by the same look-up, as in `found[AccountNamed(request.account)]`."""


@attrs.frozen
class Caller:
    """The calling application, and the user that it vouches for, if any."""

    application: str = "embedded"
    user: str | None = None


class _PerformedEarlier(Exception):
    def __init__(self, performed: Performed) -> None:
        self.performed = performed


@attrs.frozen
class UseCase(Generic[R, W]):
    """An interactor: `RegisterPayment(store, clock=…, ids=…)(request)`. It needs no server and no database.

    Called, it raises `RequestRejected` with every violation, `Conflict` where others were faster every time, and
    `StoreUnavailable`; in each case nothing was performed, but for a commit whose answer was lost: repeat to settle it.
    """

    operation: ClassVar[str]
    """Its name: that of the class, unless the class says another."""
    step: ClassVar[str]
    """The name that the steps of its answer have: the operation's, unless the class says another."""
    request: ClassVar[type[Command]]
    """What it is asked with: R."""
    answers: ClassVar[tuple[type, ...]] = ()
    """The types of what the steps of its answer may hold."""
    applies: ClassVar[tuple[rules.Judge, ...]] = ()
    """The rules that its `execute` applies; those of the request id are applied to every command."""

    store: Store
    clock: Clock = attrs.field(kw_only=True)
    ids: Ids = attrs.field(kw_only=True)
    answers_kept: dt.timedelta = attrs.field(default=ANSWERS_KEPT, kw_only=True)
    """How long the answer to a performed command is given again."""
    own_rules: Sequence[OwnRule] = attrs.field(default=(), kw_only=True)
    """Judged with the use-case's own: whatever is broken of either is told at once."""
    notifies: bool = attrs.field(default=True, kw_only=True)
    """Whether notifications are sent; business transactions always are. What happened long ago is taken over without."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        says = vars(cls)
        cls.operation = says.get("operation", cls.__name__)
        cls.step = says.get("step", cls.operation)
        for base in says.get("__orig_bases__", ()):
            if get_origin(base) is UseCase:
                cls.request = get_args(base)[0]

    def __call__(self, request: R, *, caller: Caller = Caller(), digest: bytes | None = None) -> Response:
        """Perform the command, or give the answer again if it was performed. `digest`: of the body it came in, if any."""
        digest = digest or digest_of(as_value(request))
        conflicts = silences = 0
        while True:
            try:
                return self._attempt(request, caller, digest)
            except _PerformedEarlier as earlier:
                performed = earlier.performed
                break  # a refusal of the replay must not carry, as what led to it, the answer that was kept
            except Conflict:
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise
            except (StoreBusy, StoreTooSlow):
                raise  # it has waited already
            except StoreUnavailable:
                silences += 1
                if silences == STORE_ATTEMPTS:
                    raise
            except RequestRejected:
                # The same command may have landed between our look for it and the rule that refused us.
                found = self._performed(request, caller)
                if found is None:
                    raise
                performed = found
                break
        return self._answer_again(performed, digest, self.clock())

    def wanted(self, request: R) -> W:
        """What has to be looked up, all at once, before anything is decided: a small class whose fields are look-ups."""
        raise NotImplementedError

    def execute(self, request: R, wanted: W, found: Found, work: Work) -> None:
        """Check the rules, change, publish. What was `wanted` is `found[wanted.account]`, typed as its look-up says."""
        raise NotImplementedError

    def _attempt(self, request: R, caller: Caller, digest: bytes) -> Response:
        key = RequestKey(caller.application, request.request_id)
        with self.store.begin() as uow:
            wanted = self.wanted(request)
            found = uow.find(*lookups_of(wanted), key=key)
            if found.performed is not None:
                # Abandons the unit of work: the number that was drawn with the look-up is not used up by a repetition.
                raise _PerformedEarlier(found.performed)
            now = self.clock()
            work = Work(
                uow=uow,
                now=now,
                ids=self.ids,
                configuration=found.configuration,
                step=self.step,
                transaction_id=request.transaction_id or request.request_id,
                user=caller.user or request.user or caller.application,
                notifies=self.notifies,
            )
            self._execute(request, wanted, found, work)
            answer = work.finish()
            touched = tuple(
                dict.fromkeys(step.object.ref_id for step in answer.steps if hasattr(step.object, "ref_id"))
            )
            uow.remember(
                Performed(
                    key=key, operation=self.operation, digest=digest, ref_ids=touched, performed_at=now, answer=answer
                )
            )
        return answer

    def _execute(self, request: R, wanted: W, found: Found, work: Work) -> None:
        broken = [violation for rule in self.own_rules if (violation := rule(request, found))]
        try:
            self.execute(request, wanted, found, work)
        except RequestRejected as rejected:
            broken[:0] = rejected.violations
        form: Any = type(request)
        rules.check(*broken, fields=fields_of(form))

    def _performed(self, request: R, caller: Caller) -> Performed | None:
        with self.store.begin() as uow:
            return uow.find(key=RequestKey(caller.application, request.request_id)).performed

    def _answer_again(self, performed: Performed, digest: bytes, now: dt.datetime) -> Response:
        rules.check(rules.common.request_is_the_same(performed, self.operation, digest))
        rules.check(rules.common.answer_is_still_kept(performed, now, self.answers_kept))
        assert performed.answer is not None
        return Response(performed.answer.steps, replayed=True)


def lookups_of(wanted: attrs.AttrsInstance) -> list[Lookup[Any]]:
    """What a use-case wants, look-up by look-up."""
    return [getattr(wanted, name) for name in _names_of(type(wanted))]


@functools.cache
def _names_of(cls: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls))


def digest_of(value: Any) -> bytes:
    """SHA-256 of a JSON value in canonical form: keys sorted, no white space."""
    return hashlib.sha256(_canonical(value).encode()).digest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def as_value(request: Command) -> dict[str, Any]:
    """A request built in Python as a value to digest: what was left at its default is left out."""
    return attrs.asdict(request, filter=lambda attribute, value: value != attribute.default)


@functools.cache
def fields_of(request_class: type[Command]) -> tuple[str, ...]:
    """A request's fields as they stand in JSON, in the order in which violations are told."""
    return tuple(wire_name(f.name) for f in attrs.fields(request_class))
