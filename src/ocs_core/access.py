"""Who may call: keys of applications, and what each may do."""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import attrs

EVERYTHING = "*"
"""The privilege that includes all others."""


@attrs.frozen(kw_only=True)
class ApiKey:
    """A key of one application, of which only the SHA-256 is kept; valid until it is revoked."""

    ref_id: UUID
    application: str
    digest: bytes = attrs.field(repr=False)
    privileges: frozenset[str]
    created_at: dt.datetime
    revoked_at: dt.datetime | None = None

    def opens_with(self, key: str) -> bool:
        """Whether this is that key, in a time that does not tell how nearly, and it is not revoked."""
        return hmac.compare_digest(self.digest, digest_of_key(key)) and self.revoked_at is None

    def allows(self, privilege: str) -> bool:
        return EVERYTHING in self.privileges or privilege in self.privileges


class ApiKeys(Protocol):
    """Where keys are kept."""

    def of(self, application: str) -> Sequence[ApiKey]:
        """The keys of an application, revoked ones included."""

    def all(self) -> Sequence[ApiKey]:
        """Every key, the oldest first."""

    def add(self, key: ApiKey) -> None: ...

    def revoke(self, ref_id: UUID, at: dt.datetime) -> bool:
        """Revoke a key; False where there is no such key, or it is revoked already."""


def new_key() -> str:
    """A fresh key: 256 random bits as text."""
    return secrets.token_urlsafe(32)


def digest_of_key(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
