"""What some of the contracts' tests need."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def forgotten_here() -> Iterator[None]:
    """What Kafka's client forgot is collected with the test that used it, not beside one that knows nothing of Kafka."""
    yield
    gc.collect()
