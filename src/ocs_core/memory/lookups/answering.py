"""Where each look-up's function is found: by its class."""

import functools
from typing import Any

from ocs_core.memory.journal import Journal
from ocs_core.ports import Lookup


@functools.singledispatch
def answer(lookup: Lookup[Any], journal: Journal) -> Any:
    """The answer of the store in memory. Raises `NotImplementedError` for a look-up that nobody has registered."""
    raise NotImplementedError(
        f"the store in memory does not answer {type(lookup).__name__}: register a function for it"
    )
