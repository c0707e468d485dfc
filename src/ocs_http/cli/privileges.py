"""What a key may allow."""

from ocs_http.operations import OPERATIONS
from ocs_http.searches import READS


def privileges() -> set[str]:
    """The entry point of the group `ocs.privileges`: every privilege that a route asks for."""
    return {operation.privilege for operation in OPERATIONS} | {read.privilege for read in READS}
