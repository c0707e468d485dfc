"""What the core raises. Everything derives from `OcsError`, so that an embedder can catch one class."""

import attrs


@attrs.frozen
class Violation:
    """One failure of a request: a stable `code`, the `field` as a JSON Pointer into the request, and a sentence for people."""

    code: str
    field: str
    message: str


class OcsError(Exception):
    """The base of every error this library raises on purpose."""


class InvalidValue(OcsError, ValueError):
    """A value that cannot exist: an amount beyond 64 bits, money of two currencies added up."""


class AmountOutOfRange(InvalidValue):
    """An amount of money does not fit a signed 64-bit number of millionths."""


class RequestRejected(OcsError):
    """A request was refused. `violations` holds every failure that was found, never just the first; nothing was changed."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{v.code} at {v.field or '/'}: {v.message}" for v in violations))
        self.violations = violations


class Conflict(OcsError):
    """Somebody else was faster: a stale version or a taken unique value. The unit of work left nothing behind; try again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: somebody else was faster; nothing was changed, try again")
        self.what = what


class StoreUnavailable(OcsError):
    """The store did not answer, or its answer to the commit was lost. Repeating the same request settles which."""


class StoreBusy(StoreUnavailable):
    """What a command needs was held by others for longer than the store waits; nothing was performed."""


class StoreTooSlow(StoreUnavailable):
    """The store ended what took longer than it was told to allow; nothing was performed."""


class PlatformUnavailable(OcsError):
    """The streaming platform does not answer, or refuses us altogether. Nothing is lost: what waits, waits on."""
