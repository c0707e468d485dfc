"""Who is told of notifications: the recipients' file, TOML, checked as a whole before anything is sent."""

import base64
import binascii
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

import attrs

from ocs_core.errors import OcsError
from ocs_core.messages import NOTIFICATIONS

EVERY_CODE = "*"
SECRET, PREVIOUS = "secret", "previous_secret"
"""What webhooks are signed with, and what they are signed with, too, until the recipient knows the former. Either is given
itself, or with `_env` as the name of an environment variable."""
SECRETS = tuple(field for name in (SECRET, PREVIOUS) for field in (name, f"{name}_env"))
FIELDS = ("name", "codes", "webhook", *SECRETS, "email")
SECRET_PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
"""How long a secret may be, as Standard Webhooks has it."""
_NAME = re.compile(r"\S(?:[^\x00-\x1f\x7f]{0,58}\S)?")


class RecipientsWrong(OcsError):
    """The recipients' file has failures; the message holds a line for each."""


@attrs.frozen(kw_only=True)
class Recipient:
    """One who is told: by a webhook, signed with the secret (two of them, while one takes the other's place), or by e-mail."""

    name: str
    codes: frozenset[str]
    webhook: str | None = None
    secrets: Sequence[str] = attrs.field(default=(), repr=False)
    email: str | None = None

    def wants(self, code: str) -> bool:
        return EVERY_CODE in self.codes or code in self.codes


def read_recipients(text: str, name: str, environ: Mapping[str, str]) -> Sequence[Recipient]:
    """The recipients of a file; `environ` has what a `secret_env` names. Raises `RecipientsWrong` with **every** failure."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipientsWrong(f"{name} is not TOML: {error}.") from None
    items = content.pop("recipient", [])
    failures = [f"{key}: there is nothing but [[recipient]] in this file." for key in content]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        failures.append("recipient: write each one under a [[recipient]] of its own.")
    else:
        failures += [f for number, item in enumerate(items, 1) for f in _failures_of(number, item, items, environ)]
    if failures:
        count = f"{len(failures)} failure{'s' if len(failures) > 1 else ''}"
        raise RecipientsWrong("\n".join([*failures, f"{name} has {count}; nothing was sent."]))
    return [_recipient(item, environ) for item in items]


def _recipient(item: Mapping[str, Any], environ: Mapping[str, str]) -> Recipient:
    secrets = [environ[item[f"{name}_env"]] if f"{name}_env" in item else item.get(name) for name in (SECRET, PREVIOUS)]
    return Recipient(
        name=item["name"],
        codes=frozenset(item["codes"]),
        webhook=item.get("webhook"),
        secrets=[secret for secret in secrets if secret is not None],
        email=item.get("email"),
    )


def _failures_of(number: int, item: Any, items: Sequence[Any], environ: Mapping[str, str]) -> Iterator[str]:
    name = item.get("name")
    place = f"[[recipient]] {number}{f' ({name})' if isinstance(name, str) else ''}"
    for field in item.keys() - {*FIELDS}:
        yield f"{place}, {field}: there is no such field; the fields are {', '.join(FIELDS)}."
    wrong_types = [field for field in FIELDS if field not in ("name", "codes") and not _is_text(item.get(field, "-"))]
    for field in wrong_types:
        yield f"{place}, {field}: give a text."
    for field, failure in (
        ("name", _of_name(name, [earlier.get("name") for earlier in items[: number - 1]])),
        ("codes", _of_codes(item.get("codes"))),
        *_of_channel({field: value for field, value in item.items() if field not in wrong_types}, environ),
    ):
        if failure and field not in wrong_types:
            yield f"{place}, {field}: {failure}"


def _of_name(name: Any, earlier: Collection[Any]) -> str | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "give 1 to 60 characters without control characters or outer blanks."
    if name in earlier:
        return f"recipient {[*earlier].index(name) + 1} has the same name."
    return None


def _of_codes(codes: Any) -> str | None:
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
        return 'give a list of codes of notifications, or ["*"] for all.'
    if unknown := [code for code in codes if code != EVERY_CODE and code not in NOTIFICATIONS]:
        return f"there is no notification {', '.join(unknown)}; there are {', '.join(NOTIFICATIONS)}."
    return None


def _of_channel(item: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    secrets, previous = ([field for field in (name, f"{name}_env") if field in item] for name in (SECRET, PREVIOUS))
    if ("webhook" in item) == ("email" in item):
        yield "webhook", "give either a webhook or an email."
    if "webhook" in item:
        yield "webhook", _of_url(item["webhook"])
        if len(secrets) != 1:
            yield SECRET, "give the secret that webhooks are signed with: either secret or secret_env."
        if len(previous) > 1:
            yield PREVIOUS, "give either previous_secret or previous_secret_env."
    elif "email" in item:
        yield "email", _of_address(item["email"])
        for field in (*secrets, *previous):
            yield field, "an e-mail is not signed; leave it out."
    for name in (SECRET, PREVIOUS):
        if name in item:
            yield name, _of_secret(item[name])
        if (field := f"{name}_env") in item:
            variable = item[field]
            yield field, _of_secret(environ[variable]) if variable in environ else f"{variable} is not set."


def _of_url(url: str) -> str | None:
    """The address itself is never told: it may have a password in it, wherever that stands."""
    try:
        parsed = urlsplit(url)
        usable = parsed.scheme in ("https", "http") and parsed.hostname and parsed.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or re.search(r"[\x00-\x20\x7f]", url):
        return "give an address such as https://example.com/hooks."
    return "put no password into the address; the signature says who is calling." if parsed.username else None


def _of_secret(secret: str) -> str | None:
    """The secret itself is never told."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if secret.startswith(SECRET_PREFIX) and len(key) in SECRET_BYTES:
        return None
    return f"give {SECRET_PREFIX} and {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} random bytes in base64."


def is_address(text: str) -> bool:
    """Whether e-mail can be sent to or from it."""
    try:
        parsed = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        return False
    return bool(parsed.username and parsed.domain)


def _of_address(address: str) -> str | None:
    return None if is_address(address) else f"{address!r} is no address such as ops@example.com."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
