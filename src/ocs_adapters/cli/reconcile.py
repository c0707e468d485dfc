"""`ocs reconcile`: whether nothing was lost."""

from collections.abc import Iterator

from ocs_adapters.bootstrap import Platform, consumers
from ocs_adapters.bootstrap.reconcile import reconciliation, republishing
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, opened, read_settings
from ocs_adapters.clock import new_id
from ocs_adapters.reconcile.reconciliation import Report

SHOWN = 20


def reconcile(*, republish: Flag = False, json: Json = False) -> int:
    """Compare the database, what finance holds and the topics: every entity, its version and a digest of its content.

    What differs is looked at a second time five seconds later, since messages may be on their way. Ends with 0 where all
    is equal, with 1 where it is not. Topics are read as far back as they reach, and it says how far.

    Args:
        republish: Publish the entities that differ again, as they are now: new messages about the same versions.
    """
    settings, kind = read_settings(), consumers.KINDS["finance"]
    with opened() as platform, consumers.database_of(kind, settings) as finance:
        if not kind.tables.are_in(finance):
            raise Refused("finance has read nothing yet; run: ocs consume finance")
        kind.tables.prepare(finance)
        report = reconciliation(platform, finance)()
        differences = list(map(str, report.differences))
        notes = list(_notes(report, platform, republish=republish))
        if report.is_equal and (seen_to := consumers.gaps(kind, finance).forget()):
            notes.insert(0, f"What finance was once not given, in {seen_to} gaps, it has now.")
    counts = say.Table(["entities", "compared ", "different "], _counts(report))
    say.several(json=json, equal=report.is_equal, compared=counts, differences=differences, notes=notes)
    if not json:
        print("\n".join([*differences[:SHOWN], *notes]))
    return 0 if report.is_equal else 1


def _notes(report: Report, platform: Platform, *, republish: bool) -> Iterator[str]:
    """What else is to be known, as sentences; publishes again on the way where that is wanted."""
    if (different := sum(report.different.values())) > SHOWN:
        yield f"… and {different - SHOWN} more."
    yield f"Topics: {report.reach}."
    if report.was_made_anew:
        yield "Nothing has expired there, and yet finance was told of more: the topic was made anew."
    if report.beyond_reach:
        yield (
            f"{report.beyond_reach} entities are older than what the topics reach back to; "
            "the database and finance agree on them."
        )
    if report.not_understood:
        yield f"{report.not_understood} messages in the topics cannot be read: somebody else publishes there."
    if report.is_equal:
        yield "Equal."
        return
    if waiting := platform.outbox.backlog().rows:
        yield f"{waiting} messages wait in the outbox; what they tell cannot have arrived yet."
    if republish:
        again, transaction_id = republishing(platform), f"reconcile-{new_id()}"
        sent = sum(again(d.code, d.ref_id, transaction_id) for d in report.differences)
        yield f"{sent} of {len(report.differences)} are published again; compare once more when they have arrived."
    if any(d.finance_is_ahead for d in report.differences):
        yield "What finance has and the database has not is mended by: ocs consume finance --from-beginning"


def _counts(report: Report) -> list[tuple[str, int, int]]:
    return [(code, n, report.different.get(code, 0)) for code, n in report.compared.items()]
