"""Broken stores: each is the one in memory with another unit of work. Here, what one alone runs into."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import attrs

from ocs_core.entities.account import AccountName
from ocs_core.entities.payment import Payment
from ocs_core.entities.settlement import Settlement
from ocs_core.errors import Conflict
from ocs_core.frozen import FrozenDict
from ocs_core.memory import MemoryQueries, MemoryStore
from ocs_core.memory.store import MemoryUnitOfWork
from ocs_core.messages import Message
from ocs_core.performed import Performed, RequestKey
from ocs_core.ports import AccountNamed, DocumentNamed, E, Found, Lookup, Series, SettlementsAfter, Taken
from ocs_core.testkit.broken.planted import planting
from ocs_core.testkit.contracts import Make, Subject, published_in, runs_contract, store_contract
from ocs_core.testkit.examples import configuration

T = TypeVar("T")


@attrs.define
class _Store(MemoryStore):
    unit_of_work: type[MemoryUnitOfWork] = MemoryUnitOfWork

    @contextmanager
    def begin(self, *, snapshot: bool = False) -> Iterator[MemoryUnitOfWork]:
        with self.lock:
            uow = self.unit_of_work(self)
            try:
                yield uow
            except BaseException:
                uow.take_back()
                raise


class UnitOfWork(MemoryUnitOfWork):
    """What broken stores are made of: where `store_locks`, one works at a time, and where `readers_wait`, nobody looks."""

    store_locks: ClassVar[bool] = True
    readers_wait: ClassVar[bool] = True


def _making(unit_of_work: type[UnitOfWork]) -> Make:
    @contextmanager
    def make() -> Iterator[Subject]:
        store = _Store(configuration(), unit_of_work=unit_of_work)
        if not unit_of_work.store_locks:
            store.lock = nullcontext()
        seen = store if unit_of_work.readers_wait else attrs.evolve(store, lock=nullcontext())
        yield Subject(store, MemoryQueries(seen), lambda: published_in(seen))

    return make


breaks = planting(store_contract, lambda broken: store_contract(_making(broken)), UnitOfWork)
breaks_runs = planting(runs_contract, lambda broken: runs_contract(_making(broken)), UnitOfWork)


def _changed(entity: E, change: Callable[[Any], Any]) -> E:
    """An entity with some of its fields put through something."""
    fields = {f.name: getattr(entity, f.name) for f in attrs.fields(type(entity))}
    return attrs.evolve(entity, **{name: change(value) for name, value in fields.items()})


@breaks("test_amounts_are_exact_to_the_ends_of_64_bits")
class KeepsAmountsAsFloats(UnitOfWork):
    """A column of double precision holds fifteen digits."""

    def add(self, entity: E) -> E:
        return super().add(_changed(entity, lambda v: int(float(v)) if type(v) is int else v))


@breaks("test_text_that_hurts_is_kept_whole")
class CutsTextAt255Bytes(UnitOfWork):
    """A column's length is of bytes, and what is too long for it is cut without a word."""

    def add(self, entity: E) -> E:
        return super().add(_changed(entity, lambda v: v.encode()[:255].decode(errors="ignore") if _is_text(v) else v))


@breaks("test_what_was_read_cannot_change_what_is_stored")
class GivesOutWhatItKeeps(UnitOfWork):
    """A mapper that fills objects past their constructors, and has each once."""

    def add(self, entity: E) -> E:
        return self._filled(super().add(entity))

    def save(self, entity: E) -> E:
        return self._filled(super().save(entity))

    def _filled(self, entity: E) -> E:
        for field in attrs.fields(type(entity)):
            value = getattr(entity, field.name)
            if isinstance(value, FrozenDict):
                object.__setattr__(entity, field.name, dict(value))
        return entity


@breaks("test_what_is_absent_stays_absent")
class KeepsNoneAsEmptyText(UnitOfWork):
    """A database that knows no difference between the empty text and none."""

    def add(self, entity: E) -> E:
        return super().add(_changed(entity, lambda v: "" if v is None else v))


@breaks("test_ids_that_only_look_alike_are_different")
class ComparesIdsByLetters(UnitOfWork):
    """A collation in which case does not count."""

    def answer(self, lookup: Lookup[T]) -> Any:
        name = lookup.name if isinstance(lookup, AccountNamed) else None
        wanted = (name.external_id or "").casefold() if name else ""
        alike = [ref for (_, value), ref in self._external_ids() if value.casefold() == wanted]
        same: Any = AccountNamed(AccountName(ref_id=alike[0])) if alike else lookup
        return super().answer(same)

    def _external_ids(self) -> list[tuple[Any, UUID]]:
        return [item for item in self.store.unique.items() if item[0][0] == "uq_accounts_external_id"]  # type: ignore[index]


@breaks("test_instants_keep_their_moment_and_have_an_offset")
class ReadsTimesWithoutOffset(UnitOfWork):
    """A column without a time zone gives naive times."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found = super().answer(lookup)
        return _changed(found, _without_offset) if isinstance(found, Payment) else found


@breaks("test_instants_keep_their_moment_and_have_an_offset")
class DropsTheOffsetOfTimes(UnitOfWork):
    """The wall clock's time is kept, and read as if it were UTC."""

    def add(self, entity: E) -> E:
        return super().add(_changed(entity, lambda v: v.replace(tzinfo=dt.UTC) if _is_instant(v) else v))


@breaks("test_external_ids_in_use_are_told_exactly")
class TakesOutgoingNumbersForIncomingOnes(UnitOfWork):
    """The constraint is over all payments, where it is over incoming ones only."""

    def answer(self, lookup: Lookup[T]) -> Any:
        if isinstance(lookup, Taken) and lookup.what == "external_payment_no":
            payments = self.store.entities[Payment].values()
            return lookup.value in {payment.external_payment_no for payment in payments} - {None}
        return super().answer(lookup)


@breaks("test_a_change_raises_the_version_and_a_stale_one_is_a_conflict")
class DoesNotCheckVersions(UnitOfWork):
    """The last one to write wins, and the update before it is lost."""

    def save(self, entity: E) -> E:
        stored = self.one(type(entity), entity.ref_id)
        return super().save(attrs.evolve(entity, version=stored.version) if stored else entity)


@breaks("test_an_abandoned_unit_of_work_leaves_nothing_behind")
class PublishesBeforeTheCommit(UnitOfWork):
    """Messages are sent as they come: a rollback does not call them back."""

    def publish(self, message: Message) -> None:
        self.store.outbox[message.ref_id] = message


@breaks("test_document_numbers_have_no_gaps_and_payment_numbers_never_repeat")
class DrawsNumbersForGood(UnitOfWork):
    """A sequence of the database is fast, and has gaps."""

    def draw(self, series: Series, count: int = 1) -> Sequence[int]:
        drawn = super().draw(series, count)
        self._journal.pop()
        return drawn


@breaks("test_a_taken_unique_value_is_a_conflict_and_leaves_nothing")
class SwallowsConstraints(UnitOfWork):
    """`ON CONFLICT DO NOTHING`: the caller takes for done what was not."""

    def add(self, entity: E) -> E:
        with suppress(Conflict):
            return super().add(entity)
        return entity


@breaks("test_an_abandoned_unit_of_work_puts_back_what_it_changed")
class TakesBackInTheOrderOfWriting(UnitOfWork):
    """What was changed twice ends as it was between the two."""

    def take_back(self) -> None:
        self._journal.reverse()
        super().take_back()


@breaks("test_an_abandoned_repetition_leaves_the_message_that_waits")
class TakesBackWhatOthersPublished(UnitOfWork):
    """A rollback deletes the messages it mentions, whoever put them there."""

    def publish(self, message: Message) -> None:
        self.store.outbox.setdefault(message.ref_id, message)
        self._journal.append((self.store.outbox, message.ref_id, None))


@breaks("test_a_performed_command_is_remembered_whole_and_once")
class RemembersTheLastOfOneId(UnitOfWork):
    """The second command under a request id takes the place of the first."""

    def remember(self, performed: Performed) -> None:
        self.put(self.store.performed, performed.key, performed)


@breaks("test_a_request_id_is_unique_per_application")
class ForgetsWhoAsked(UnitOfWork):
    """Request ids are kept without the application they came from."""

    def find(self, *lookups: Lookup[Any], key: RequestKey | None = None) -> Found:
        return super().find(*lookups, key=_of_anybody(key) if key else None)

    def remember(self, performed: Performed) -> None:
        super().remember(attrs.evolve(performed, key=_of_anybody(performed.key)))


@breaks("test_an_abandoned_command_may_come_again_under_its_id")
class RemembersOutsideTheTransaction(UnitOfWork):
    """The request is remembered in a cache beside the database, whatever becomes of it."""

    def remember(self, performed: Performed) -> None:
        self.store.performed[performed.key] = performed


class _FindsSome(UnitOfWork):
    """Of the settlements after an instant it finds some."""

    def answer(self, lookup: Lookup[T]) -> Any:
        found = super().answer(lookup)
        if not isinstance(lookup, SettlementsAfter):
            return found
        settlements: Any = found
        return tuple(settlement for settlement in settlements if self.finds(settlement, lookup))

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        raise NotImplementedError


@breaks("test_money_that_was_in_use_then_does_not_pay_twice")
class ForgetsWhatWasTakenBack(_FindsSome):
    """Settlements that are cancelled are left out, as everywhere else."""

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        return not settlement.cancelled


@breaks("test_a_document_that_was_settled_then_is_not_settled_twice")
class LooksAtThePaymentAlone(_FindsSome):
    """What others had paid of the document is not looked at."""

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        return lookup.payment is not None and settlement.source_ref_id == lookup.payment.ref_id


@breaks("test_as_of_every_instant_no_more_is_used_than_there_was")
class KnowsWhatIsOpenNowAlone(_FindsSome):
    """An effective date is a note: what fits today is taken as of any day."""

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        return False


@breaks("test_money_that_moved_to_another_account_was_in_use_there")
class LooksAtOneAccountAlone(_FindsSome):
    """The settlements are those of the document's account."""

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        document = self.answer(DocumentNamed(lookup.document))
        return document is not None and settlement.account == document.account


@breaks("test_what_changed_of_either_item_after_an_instant_is_found")
class FindsWhatTookEffectAlone(_FindsSome):
    """One condition of two: what was taken back after the instant is not found where it began before it."""

    def finds(self, settlement: Settlement, lookup: SettlementsAfter) -> bool:
        return settlement.effective_at > lookup.instant


@breaks_runs("test_its_own_clock_if_it_has_one_is_right_and_in_utc")
class ShowsTheTimeOnTheWall(UnitOfWork):
    """The server's local time, as if it were UTC."""

    def now(self) -> dt.datetime | None:
        return dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_instant(value: Any) -> bool:
    return isinstance(value, dt.datetime)


def _without_offset(value: Any) -> Any:
    return value.astimezone(dt.UTC).replace(tzinfo=None) if _is_instant(value) else value


def _of_anybody(key: RequestKey) -> RequestKey:
    return attrs.evolve(key, application="")
