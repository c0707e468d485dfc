"""How messages are compressed on their way through Kafka, and what reading them takes."""

from kafka import codec

from ocs_core.errors import OcsError

GZIP = "gzip"
"""What every client reads, also those that bring no library of their own."""
_HAS = {"gzip": codec.has_gzip, "lz4": codec.has_lz4, "snappy": codec.has_snappy, "zstd": codec.has_zstd}


def missing() -> str:
    """What cannot be read here, as a sentence; empty where everything can."""
    names = [name for name, has in _HAS.items() if not has()]
    if not names:
        return ""
    return f"The library of {' and '.join(names)} is not installed; install ocs-rm[kafka]"


def check(compression: str) -> None:
    """Raises `OcsError` where that compression cannot be used here."""
    if compression in _HAS and not _HAS[compression]():
        raise OcsError(f"OCS_KAFKA_COMPRESSION is {compression}. {missing()}.")
