"""`ocs reconcile`: whether nothing was lost."""

from itertools import islice

from ocs_adapters.bootstrap import consumers
from ocs_adapters.bootstrap.reconcile import reconciliation, republishing
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Commands, Flag, Refused
from ocs_adapters.clock import new_id
from ocs_adapters.reconcile.reconciliation import Report

SHOWN = 20


def join(commands: Commands) -> None:
    @commands.app.command
    def reconcile(*, republish: Flag = False) -> int:
        """Compare the database, what finance holds and the topics: every entity, its version and a digest of its content.

        What differs is looked at a second time five seconds later, since messages may be on their way. Ends with 0 where all
        is equal, with 1 where it is not. Topics are read as far back as they reach, and it says how far.

        Args:
            republish: Publish the entities that differ again, as they are now: new messages about the same versions.
        """
        settings, kind = commands.settings(), consumers.KINDS["finance"]
        with commands.opened() as platform, consumers.database_of(kind, settings) as finance:
            if not kind.tables.are_in(finance):
                raise Refused("finance has read nothing yet; run: ocs consume finance")
            kind.tables.prepare(finance)
            report = reconciliation(platform, finance)()
            say.table(["entities", "compared ", "different "], _counts(report))
            print(f"Topics: {report.reach}.")
            if report.beyond_reach:
                print(f"{report.beyond_reach} entities are older than what the topics reach back to.")
            if report.not_understood:
                print(f"{report.not_understood} messages in the topics cannot be read: somebody else publishes there.")
            if report.is_equal:
                print("Equal.")
                return 0
            for difference in islice(report.differences, SHOWN):
                print(difference)
            if (different := sum(report.different.values())) > SHOWN:
                print(f"… and {different - SHOWN} more.")
            if waiting := platform.outbox.backlog().rows:
                print(f"{waiting} messages wait in the outbox; what they tell cannot have arrived yet.")
            if republish:
                again, transaction_id = republishing(platform), f"reconcile-{new_id()}"
                sent = sum(again(d.code, d.ref_id, transaction_id) for d in report.differences)
                print(
                    f"{sent} of {len(report.differences)} are published again; compare once more when they have arrived."
                )
            if any(d.finance_is_ahead for d in report.differences):
                print("What finance has and the database has not is mended by: ocs consume finance --from-beginning")
            return 1


def _counts(report: Report) -> list[tuple[str, int, int]]:
    return [(code, n, report.different.get(code, 0)) for code, n in report.compared.items()]
