"""The laws of a `Clock` and of `Ids`."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import RFC_4122, UUID

import pytest

from ocs_core.ports import Clock, Ids
from ocs_core.testkit.contracts.subject import at_once

THREADS, DRAWS = 20, 500


def clock_contract(make: Callable[[], Clock]) -> type:
    """The laws of a `Clock`: UTC, with its offset, and never back."""

    class ClockContract:
        @pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
        def test_it_gives_utc_with_its_offset_wherever_the_machine_is(
            self, zone: str, monkeypatch: pytest.MonkeyPatch
        ) -> None:
            """Instants are compared and stored: one without an offset is another one in another country."""
            with _machine_in(zone, monkeypatch):
                now = make()()
            assert now.tzinfo is not None, f"{now!r} is naive"
            assert now.tzname() == "UTC", f"{now!r} is not in UTC"

        def test_it_does_not_go_back(self) -> None:
            """What happened later is told with no earlier time."""
            clock = make()
            instants = [clock() for _ in range(1000)]
            back = [(earlier, later) for earlier, later in itertools.pairwise(instants) if later < earlier]
            assert back[:1] == []

    return ClockContract


def ids_contract(make: Callable[[], Ids]) -> type:
    """The laws of `Ids`: UUIDs of version 7, rising, and never the same twice."""

    class IdsContract:
        def test_they_are_uuids_of_version_7(self) -> None:
            """Databases keep ids that rise with time together, and lists are in the order of their ids."""
            ids = make()
            drawn = ids()
            assert isinstance(drawn, UUID)
            assert (drawn.version, drawn.variant) == (7, RFC_4122), f"{drawn} is of another version or variant"

        def test_they_rise(self) -> None:
            """The newest come first in every list, within a millisecond too."""
            ids = make()
            drawn = [ids() for _ in range(5000)]
            assert [(a, b) for a, b in itertools.pairwise(drawn) if a >= b] == []

        def test_none_comes_twice_under_threads(self) -> None:
            """Commands run at once: two payments of one id are one payment."""
            ids = make()
            drawn = [one for some in at_once([lambda: [ids() for _ in range(DRAWS)]] * THREADS) for one in some]
            assert len(set(drawn)) == THREADS * DRAWS

    return IdsContract


@contextmanager
def _machine_in(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run as if the machine stood elsewhere, where the platform allows it."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        _tell_libc()
        yield
    _tell_libc()


def _tell_libc() -> None:
    if hasattr(time, "tzset"):
        time.tzset()
