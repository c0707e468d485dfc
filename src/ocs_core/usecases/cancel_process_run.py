"""Cancel process run (domain: section 4, calculate collection balance)."""

from uuid import UUID

import attrs

from ocs_core import rules
from ocs_core.entities.process import ProcessRun, RunState
from ocs_core.ports import Found, RunStore
from ocs_core.usecases.perform import Command, NothingWanted, UseCase, fields_of
from ocs_core.usecases.work import Work, run_work


@attrs.frozen(kw_only=True)
class CancelProcessRunRequest(Command):
    """A run of a process, dry or not, that is to go no further."""

    ref_id: UUID


@attrs.frozen
class CancelProcessRun(UseCase[CancelProcessRunRequest, NothingWanted]):
    """Ends a run where it is: what was calculated stays, and another run may be started at once.

    A slice in hand may still be kept, and then counts among the run's; no other one is begun. Publishes nothing.
    """

    answers = (ProcessRun,)
    applies = (
        rules.processes.run_exists,
        rules.processes.run_is_going_on,
    )

    store: RunStore

    def wanted(self, request: CancelProcessRunRequest) -> NothingWanted:
        return NothingWanted()

    def execute(self, request: CancelProcessRunRequest, wanted: NothingWanted, found: Found, work: Work) -> None:
        uow = run_work(work)
        run = uow.run(request.ref_id)
        rules.check(
            rules.processes.run_exists(run),
            rules.processes.run_is_going_on(run),
            fields=fields_of(CancelProcessRunRequest),
        )
        assert run is not None

        progressed = run.progressed(uow.slices(run.ref_id))
        cancelled = attrs.evolve(progressed, state=RunState.CANCELLED, finished_at=work.now)
        work.answer(work.save(cancelled, before=run))
