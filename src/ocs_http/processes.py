"""The runs of processes, as they are read over HTTP."""

from collections.abc import Callable
from uuid import UUID

import attrs

from ocs_adapters.bootstrap import Services
from ocs_core.entities.process import ProcessRun
from ocs_core.form import Form
from ocs_core.usecases.read_process_run import ReadProcessRun


@attrs.frozen(kw_only=True)
class ProcessRunRead(Form):
    """One run of a process: how far it is, and which payers it could not calculate."""

    ref_id: UUID


def read_process_run(services: Services) -> Callable[[ProcessRunRead], ProcessRun]:
    read = ReadProcessRun(services.queries)
    return lambda request: read(request.ref_id)
