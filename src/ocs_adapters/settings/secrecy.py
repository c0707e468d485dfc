"""Addresses of databases, without what nobody else may see of them."""

import re

from ocs_core.errors import OcsError

_PASSWORD = re.compile(r"(://[^:/]*:).*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(
    r"((?:[?&;\s]|^)[^=&;?\s]*(?:pass|secret|token|key)[^=&;?\s]*)\s*=.*", re.IGNORECASE | re.DOTALL
)
"""With all that follows: a password may have an `&` or a blank in it that should have been written otherwise."""


def masked(url: str) -> str:
    """A URL without its passwords, wherever they stand, and whether or not they are written as they should be."""
    return _SECRET_PARAMETER.sub(r"\1=***", _PASSWORD.sub(r"\1***@", url))


def usable(url: str) -> str:
    """The same URL. Raises `OcsError` where a part of the password would be taken for a host, and shown as one."""
    if url.startswith("postgres") and url.partition("?")[0].count("@") > 1:
        raise OcsError(f"{masked(url)}: write an @ in the user, the password or the name as %40.")
    return url
