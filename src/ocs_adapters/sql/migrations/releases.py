"""Which releases can work on a schema: a newer one may leave the release before it able to go on, and says so in the database."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.script import ScriptDirectory

from ocs_adapters.sql.migrations import WORKS_WITH, steps


def works_since(revision: str) -> str:
    """The oldest revision whose release can work on a schema of this one: each says `older_release_goes_on` of its own."""
    script = ScriptDirectory(str(Path(__file__).parent))
    found = script.get_revision(revision)
    while found.module.older_release_goes_on:
        found = script.get_revision(str(found.down_revision))
    return str(found.revision)


def note_release(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    """After each revision: write down which releases can work on the schema now."""
    revision = step.up_revision_id
    steps.add_column("alembic_version", sa.Column(WORKS_WITH, sa.Text()))
    op.execute(f"UPDATE alembic_version SET {WORKS_WITH} = '{works_since(revision)}..{revision}'")  # noqa: S608
