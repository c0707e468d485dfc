"""How thoroughly properties are tried: `dev` in seconds, `ci` the same way every time, `nightly` for hours of luck.

`OCS_HYPOTHESIS_PROFILE` names one; `use()` in a project's conftest.py takes it.
"""

import os
from typing import Any

from hypothesis import HealthCheck, Verbosity, settings

PROFILES = ("dev", "ci", "nightly")
_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}

settings.register_profile("dev", max_examples=15, **_COMMON)
settings.register_profile("ci", max_examples=30, derandomize=True, database=None, print_blob=True, **_COMMON)
settings.register_profile("nightly", max_examples=2000, print_blob=True, verbosity=Verbosity.normal, **_COMMON)


def patiently(parent: settings | None = None, **more: Any) -> settings:
    """Settings of a law that may take its time, whatever the project's own profile says: a slow database breaks no law."""
    return settings(parent or settings.default, **_COMMON, **more)


def use(name: str | None = None) -> None:
    """Take a profile: the one named, else that of the environment, else `dev`. Raises `ValueError` for an unknown one."""
    wanted = name or os.environ.get("OCS_HYPOTHESIS_PROFILE", "dev")
    if wanted not in PROFILES:
        raise ValueError(f"there is no profile {wanted!r}; there are {', '.join(PROFILES)}")
    settings.load_profile(wanted)
