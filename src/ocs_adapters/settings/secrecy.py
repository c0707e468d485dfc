"""Addresses of databases, without what nobody else may see of them."""

import re

from ocs_core.errors import OcsError

_USER = re.compile(r"(\w[\w+.-]*://)([^:/@\s]*)(:)?")
_SECRET_PARAMETER = re.compile(
    r"((?:[?&;\s]|^)[^=&;?\s]*(?:pass|secret|token|key)[^=&;?\s]*)\s*=.*", re.IGNORECASE | re.DOTALL
)
"""With all that follows: a password may have an `&` or a blank in it that should have been written otherwise."""


def masked(url: str) -> str:
    """A URL without its passwords, wherever they stand, and whether or not they are written as they should be: where it cannot
    be told which part of it is a password, all before the last `@` is taken for one."""
    before, at, behind = url.rpartition("@")
    named = _USER.match(before)
    if at and named and named.end() == len(before):
        before = named[1] + named[2] + ":***" * bool(named[3])
    elif at:
        before = f"{named[1]}{named[2]}:***" if named and named[3] else f"{named[1] if named else ''}***"
    return _SECRET_PARAMETER.sub(r"\1=***", before + at + behind)


def usable(url: str) -> str:
    """The same URL. Raises `OcsError` where a part of the password would be taken for a host, and shown as one."""
    if url.startswith("postgres") and url.partition("?")[0].count("@") > 1:
        raise OcsError(f"{masked(url)}: write an @ in the user, the password or the name as %40.")
    return url
