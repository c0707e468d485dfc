"""How thoroughly properties are tried: `OCS_HYPOTHESIS_PROFILE`, which the automatic checks set to `ci`."""

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
