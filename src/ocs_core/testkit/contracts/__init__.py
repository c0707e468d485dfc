"""The contracts of the ports, as functions that build a fresh test class for one adapter:

    TestMine = store_contract(make)

`make()` is a context manager that gives what a contract is held against: for a store and its queries, a `Subject` that is
empty and has the example's configuration. Every law is a sentence; an adapter keeps it or breaks it for everyone.
"""

import pkgutil

import pytest

# Before they are imported: a law that fails in somebody else's project is to show what was compared.
pytest.register_assert_rewrite(*(m.name for m in pkgutil.iter_modules(__path__, f"{__name__}.")))

from ocs_core.testkit.contracts.collection import collection_contract  # noqa: E402
from ocs_core.testkit.contracts.outbox import OutboxSubject, outbox_contract  # noqa: E402
from ocs_core.testkit.contracts.publisher import PublisherSubject, publisher_contract  # noqa: E402
from ocs_core.testkit.contracts.pushdown import pushdown_contract  # noqa: E402
from ocs_core.testkit.contracts.queries import queries_contract  # noqa: E402
from ocs_core.testkit.contracts.reference import reference_contract  # noqa: E402
from ocs_core.testkit.contracts.relay import relay_contract  # noqa: E402
from ocs_core.testkit.contracts.rules import rules_contract  # noqa: E402
from ocs_core.testkit.contracts.store import runs_contract, store_contract  # noqa: E402
from ocs_core.testkit.contracts.stream import StreamSubject, stream_contract  # noqa: E402
from ocs_core.testkit.contracts.subject import Make, Published, Subject, published_in  # noqa: E402
from ocs_core.testkit.contracts.time import clock_contract, ids_contract  # noqa: E402

__all__ = [
    "Make",
    "OutboxSubject",
    "Published",
    "PublisherSubject",
    "StreamSubject",
    "Subject",
    "clock_contract",
    "collection_contract",
    "ids_contract",
    "outbox_contract",
    "published_in",
    "publisher_contract",
    "pushdown_contract",
    "queries_contract",
    "reference_contract",
    "relay_contract",
    "rules_contract",
    "runs_contract",
    "store_contract",
    "stream_contract",
]
