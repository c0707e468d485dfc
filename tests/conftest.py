"""How thoroughly properties are tried: `OCS_HYPOTHESIS_PROFILE`, which the automatic checks set to `ci`."""

from ocs_core.testkit import profiles

profiles.use()
