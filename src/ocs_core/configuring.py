"""A change of the configuration: what it would change, field by field, and why it is not taken.

A configuration is added to and replaced entry by entry, never taken away from: what is left out stays as it is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from ocs_core.entities.configuration import (
    KINDS,
    SYSTEM,
    CollectionSetting,
    CollectionThreshold,
    Configuration,
    NotificationSetting,
    SystemSetting,
    Tax,
)
from ocs_core.entities.process import CALCULATE_COLLECTION_BALANCE
from ocs_core.errors import Violation
from ocs_core.messages import NOTIFICATIONS

_KIND_OF = {entry_class: kind for kind, entry_class in KINDS.items()}
_FIXED: Mapping[str, Mapping[str, str]] = {
    "currencies": {
        "minor_digits": "Amounts of {code} are kept already, as fine as {before} minor digits; they cannot be {after} now."
    },
    "account_types": {
        "payment_responsible": "There are accounts of type {code} already; a payer stays one, and a technical account, too."
    },
}
"""The fields that are as they are once something is kept that goes by them, and why."""


@attrs.frozen
class Difference:
    """One field of one entry that a change gives another value; `before` is None throughout for a new entry."""

    kind: str
    code: str
    field: str
    before: Any
    after: Any
    is_new: bool = False


@attrs.frozen
class Use:
    """A question to a store: is there anything that goes by this entry? Of a currency: an account, payment, document or
    chargeable event in it; of an account type: an account."""

    kind: str
    code: str


def differences(before: Configuration, entries: Iterable[Any]) -> list[Difference]:
    """What the entries would change; of a new entry its code, and each field that is not as it is by default."""
    return [difference for entry in entries for difference in _differences(before, entry)]


def uses_to_look_up(before: Configuration, entries: Iterable[Any]) -> frozenset[Use]:
    """What a store is to be asked, before `contradictions` can tell; nothing, where the entries change nothing that matters."""
    return frozenset(Use(d.kind, d.code) for d in differences(before, entries) if _is_fixed(d))


def refusals(before: Configuration, entries: Collection[Any], used: Collection[Use]) -> tuple[Violation, ...]:
    """Why a change is not taken: what of it has no effect or two meanings, and what contradicts what is kept, where `used` are
    those of `uses_to_look_up` of which there is anything. Each at its field: `/currencies/EUR/minor_digits`."""
    return (*inconsistencies(before, entries), *contradictions(before, entries, used))


def inconsistencies(before: Configuration, entries: Collection[Any]) -> tuple[Violation, ...]:
    """Entries that would have no effect beside what is configured already, or two meanings: `ENTRY_INCONSISTENT`."""
    whole = before.with_entries(entries)
    return tuple(
        Violation("ENTRY_INCONSISTENT", f"/{_KIND_OF[type(entry)]}/{entry.code}/{field}", message)
        for entry in entries
        for field, message in _inconsistent(entry, whole)
    )


def _inconsistent(entry: Any, whole: Configuration) -> Iterator[tuple[str, str]]:
    match entry:
        case CollectionSetting() if entry.code != CALCULATE_COLLECTION_BALANCE:
            yield "code", f"There is no such process; give {CALCULATE_COLLECTION_BALANCE}."
        case SystemSetting() if entry.code != SYSTEM:
            yield "code", "Leave the code out."
        case NotificationSetting() if entry.code not in NOTIFICATIONS:
            yield "code", f"There is no such notification; there are {', '.join(NOTIFICATIONS)}."
        case CollectionThreshold() if entry.code not in whole.currencies:
            yield "code", "The currency is not configured."
        case Tax():
            days = Counter(rate.valid_from for rate in entry.rates)
            for day in [day for day, times in days.items() if times > 1]:
                yield "rates", f"More than one rate is valid from {day}."


def contradictions(before: Configuration, entries: Iterable[Any], used: Collection[Use]) -> tuple[Violation, ...]:
    """Every change that contradicts what is kept: `ENTRY_IN_USE`."""
    return tuple(
        Violation("ENTRY_IN_USE", f"/{d.kind}/{d.code}/{d.field}", _reason(d))
        for d in differences(before, entries)
        if _is_fixed(d) and Use(d.kind, d.code) in used
    )


def _differences(before: Configuration, entry: Any) -> Iterator[Difference]:
    kind = _KIND_OF[type(entry)]
    stored = getattr(before, kind).get(entry.code)
    if stored is None:
        yield Difference(kind, str(entry.code), "code", None, str(entry.code), is_new=True)
    for field in attrs.fields(type(entry)):
        value = getattr(entry, field.name)
        was = field.default if stored is None else getattr(stored, field.name)
        if field.name != "code" and value != was:
            is_new = stored is None
            yield Difference(kind, str(entry.code), field.name, None if is_new else was, value, is_new)


def _is_fixed(difference: Difference) -> bool:
    return not difference.is_new and difference.field in _FIXED.get(difference.kind, ())


def _reason(difference: Difference) -> str:
    sentence = _FIXED[difference.kind][difference.field]
    return sentence.format(code=difference.code, before=difference.before, after=difference.after)
