"""Taking one import back from the command line."""

import hashlib
from pathlib import Path

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Refused
from ocs_adapters.cli.import_report import made, warn_of
from ocs_adapters.files.undoing import Undoing
from ocs_core.ports import TakeOver, TakeOverState


def undo_import(platform: Platform, what: str, *, dry_run: bool) -> int:
    services = platform.services
    take_over = _found(platform, what)
    undoing = Undoing(services.queries, platform.taking_over, clock=services.clock, ids=services.ids)
    problems = undoing.check(take_over)
    if problems:
        warn_of("", problems)
        raise Refused(f"Import {take_over.ref_id} was not taken back: something else rests on it.")
    accounts, documents, payments = made(take_over)
    what_is_it = f"import {take_over.ref_id} of {take_over.file_name}: {documents} documents, {payments} payments"
    if dry_run:
        say.warn(f"It can be taken back: {what_is_it}. A dry run: nothing was changed.")
        return 0
    with say.progress() as bar:
        task = bar.add_task("rows", total=None)
        undoing.take_back(take_over, lambda rows: bar.advance(task, rows))
    kept = f" {undoing.accounts_kept} accounts stay, since others use them." if undoing.accounts_kept else ""
    say.warn(f"Taken back: {what_is_it}, {accounts - undoing.accounts_kept} accounts.{kept}")
    return 0


def _found(platform: Platform, what: str) -> TakeOver:
    with platform.taking_over(writing=False) as (_, note):
        if Path(what).is_file():
            known = note.of_file(hashlib.sha256(Path(what).read_bytes()).hexdigest())
        else:
            known = [take_over for take_over in note.all() if str(take_over.ref_id) == what.lower()]
    if not known:
        raise Refused(f"Nothing was taken over from {what}; ocs import list shows what was.")
    live = [take_over for take_over in known if take_over.state is not TakeOverState.UNDONE]
    if not live:
        raise Refused(f"Import {known[0].ref_id} was taken back already.")
    return live[0]
