"""How thoroughly properties are tried: `OCS_HYPOTHESIS_PROFILE`, which the automatic checks set to `ci`."""

import signal
from collections.abc import Iterator

import pytest
import structlog

from ocs_core.testkit import profiles

profiles.use()


@pytest.fixture(autouse=True)
def _nobody_logs_where_another_test_did() -> Iterator[None]:
    """A command sends what is logged to its own standard error, which ends with its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def in_the_background() -> Iterator[None]:
    """As if these tests had been started by `pytest &` in a script: deaf to interrupts, as all that they start."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)
