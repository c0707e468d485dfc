"""A small company on any store, for properties: requests refer to what is in it, and it makes what they lack."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import Account, AccountName, AccountState
from ocs_core.entities.chargeable_event import ChargeableEvent
from ocs_core.entities.configuration import Configuration, DocumentType, Reason, Tax, TaxRateFrom
from ocs_core.entities.document import Document
from ocs_core.entities.payment import Payment
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.ports import Lookup, Store
from ocs_core.queries import Queries
from ocs_core.testkit.examples import NOW, Desk, configuration, named
from ocs_core.usecases.perform import OwnRule, UseCase
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest

P = TypeVar("P", Payment, Document, ChargeableEvent)
T = TypeVar("T")
EITHER = "either"
"""A document type whose documents say themselves who owes."""
LATER_TAX = "later"
"""A tax whose first rate begins in a far future."""

OTHER_REASON = "wrongTax"
"""A reason for something else than a cancellation."""

_PATHS = {
    AccountState.INACTIVE: (),
    AccountState.ACTIVE: (AccountState.ACTIVE,),
    AccountState.SUSPENDED: (AccountState.ACTIVE, AccountState.SUSPENDED),
    AccountState.DEACTIVATED: (AccountState.ACTIVE, AccountState.DEACTIVATED),
}


def world_configuration() -> Configuration:
    """The example's master data, and what makes every rule breakable."""
    later = TaxRateFrom(valid_from=NOW.date().replace(year=2900), rate=100)
    return configuration(
        DocumentType(code=EITHER),
        Tax(code=LATER_TAX, rates=(later,)),
        Reason(code=OTHER_REASON, kind="correction"),
    )


@attrs.define(repr=False)
class World:
    """A store with its queries, and a desk that performs commands on it at a time that stands still.

    It is where a property takes place: `world = World.in_memory()`, then what must be there (`world.account(…)`,
    `world.desk.payment(…)`), a request drawn for it (`valid_requests(RegisterPayment, world)`), and `world.perform(…)`. Its clock
    is `world.desk.clock`, a `SettableClock` that begins at `NOW` and moves when it is told to (`advance(days=1)`).

    `configure` replaces the store's configuration; the store must begin with `world_configuration()`. `published` gives
    what waits in the outbox.
    """

    store: Store
    queries: Queries
    configure: Callable[[Configuration], None]
    published: Callable[[], Sequence[Any]]
    desk: Desk = attrs.field(default=attrs.Factory(lambda world: Desk(world.store), takes_self=True))
    _numbers: "itertools.count[int]" = attrs.field(factory=lambda: itertools.count(1), init=False)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis shows it: a failing example is its request, not everything there is."""
        printer.text("World()")

    @classmethod
    def in_memory(cls, own_rules: Mapping[type, Sequence[OwnRule]] | None = None) -> "World":
        """A new world on a store in memory, with rules of your own by use-case."""
        store = MemoryStore(world_configuration())
        return cls(
            store,
            MemoryQueries(store),
            configure=lambda changed: setattr(store, "configuration", changed),
            published=lambda: list(store.outbox.values()),
            desk=Desk(store, own_rules=own_rules or {}),
        )

    @property
    def configuration(self) -> Configuration:
        return self.queries.configuration()

    def perform(self, operation: Any, request: Any) -> Any:
        """Any operation of the catalogue: a command through the desk, a read on the queries."""
        if issubclass(operation, UseCase):
            return self.desk.perform(operation, request)
        clock = {"clock": self.desk.clock} if "clock" in attrs.fields_dict(operation) else {}
        return operation(self.queries, **clock)(request)

    def new(self, prefix: str) -> str:
        """An id that nothing in this world has yet."""
        return f"{prefix}-{next(self._numbers)}"

    def account(
        self, state: AccountState = AccountState.ACTIVE, *, account_type: str = "payer", **more: Any
    ) -> Account:
        """A new account in that state."""
        made = self.desk.account(self.new("A"), account_type=account_type, state=AccountState.INACTIVE, **more)
        for step in _PATHS[state]:
            made = self.become(made, step)
        return made

    def become(self, account: Account, state: AccountState) -> Account:
        """Take an account to another state."""
        self.desk.perform(
            UpdateAccountState,
            UpdateAccountStateRequest(request_id=self.desk.request_id(), account=named(account), state=state),
        )
        return self.account_of(account.ref_id)

    def deactivate(self, ref_id: UUID) -> None:
        """Take an account, whatever its state, to the end of its life."""
        account = self.account_of(ref_id)
        if account.state is AccountState.INACTIVE:
            account = self.become(account, AccountState.ACTIVE)
        self.become(account, AccountState.DEACTIVATED)

    def technical(self, parent: Account | None = None) -> Account:
        """A technical account; without a parent nobody pays for it."""
        return self.account(account_type="technical", parent=named(parent) if parent else None)

    def account_of(self, ref_id: UUID) -> Account:
        found = self.queries.account(AccountName(ref_id=ref_id))
        assert found is not None, f"the world has lost the account {ref_id}"
        return found

    def change(self, entity: P, **changes: Any) -> P:
        """Change an entity past the use-cases, so that it is as they would never let it be."""
        with self.store.begin() as uow:
            return uow.save(attrs.evolve(entity, **changes))

    def look_up(self, lookup: Lookup[T]) -> T:
        """What a use-case would find."""
        with self.store.begin() as uow:
            return uow.find(lookup)[lookup]
