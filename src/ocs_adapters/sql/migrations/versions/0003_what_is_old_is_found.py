"""What is old is found without a look at everything: answers to forget, and runs that have ended.

Revision ID: 0003
"""

from ocs_adapters.sql.migrations import steps

revision = "0003"
down_revision = "0002"
older_release_goes_on = True


def upgrade() -> None:
    steps.create_index("ix_requests_answered", "requests", ["performed_at"], where="answer IS NOT NULL")
    steps.create_index("ix_process_runs_finished_at", "process_runs", ["finished_at"], where="finished_at IS NOT NULL")
