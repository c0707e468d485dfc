"""The table of commands: per operation a path, a use-case, a privilege and an example. The rest is said by the use-case."""

from ocs_http.operations import accounts, charging, documents, payers, payments, processes
from ocs_http.operations.operation import Operation

__all__ = ["OPERATIONS", "Operation"]

OPERATIONS = (
    *payments.OPERATIONS,
    *charging.OPERATIONS,
    *payers.OPERATIONS,
    *documents.OPERATIONS,
    *processes.OPERATIONS,
    *accounts.OPERATIONS,
)
