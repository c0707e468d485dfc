"""What a setting is declared with: its default, what it says, and which values are valid.

A validator raises `ValueError` with a sentence that names the variable, what it is, and what to give.
"""

import ipaddress
import re
import types
from collections.abc import Callable
from typing import Any, get_args

import attrs

from ocs_adapters.settings.secrecy import masked
from ocs_core.form import FormError, ZoneName

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]
_SERVER = re.compile(r"\s*(?:\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):(\d{1,5})\s*")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_DATABASE = re.compile(r"(sqlite|postgres|postgresql)(\+\w+)?://")
_BOOLEANS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "off"), False
)


def option(*, default: Any, help: str, valid: Validator | None = None, is_secret: bool = False) -> Any:
    """A setting. `help` is shown to operators; None is always valid where it is the default."""
    validator = attrs.validators.optional(valid) if valid and default is None else valid
    return attrs.field(
        default=default, validator=validator, repr=not is_secret, metadata={"help": help, "is_secret": is_secret}
    )


def secret(*, default: Any, help: str, valid: Validator | None = None) -> Any:
    """A setting that has, or may have, a password in it: it is not in a `repr`."""
    return option(default=default, help=help, valid=valid, is_secret=True)


def variable_of(field: "attrs.Attribute[Any]") -> str:
    """The variable of the environment that a setting is given by."""
    return f"OCS_{field.name.upper()}"


def read(field: "attrs.Attribute[Any]", text: str) -> Any:
    """What the text of a variable says: a whole number, true or false, or the text. Raises `ValueError`."""
    base = next(kind for kind in (get_args(field.type) or (field.type,)) if kind is not types.NoneType)
    if base is bool:
        if text.strip().lower() not in _BOOLEANS:
            raise _wrong(field, text, "true or false")
        return _BOOLEANS[text.strip().lower()]
    if base is int:
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
            raise _wrong(field, text, "a whole number")
        return int(text)
    return text


def between(least: int, most: int, unit: str = "", name: str = "") -> Validator:
    """A whole number from `least` to `most`."""

    def valid(_: Any, field: "attrs.Attribute[Any]", value: int) -> None:
        if not least <= value <= most:
            raise _wrong(field, value, name or f"{least} to {most}{unit}")

    return valid


def days(_: Any, field: "attrs.Attribute[Any]", value: int) -> None:
    """How long something is kept."""
    if not 1 <= value <= 36500:
        nothing = f"nothing for {'ever' if field.default is None else field.default}"
        raise _wrong(field, value, f"1 to 36500 days, or {nothing}")


def one_of(*values: str) -> Validator:
    """One of a few words."""

    def valid(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
        if value not in values:
            wanted = " or ".join(values) if len(values) == 2 else f"one of {', '.join(values)}"
            raise _wrong(field, value, wanted)

    return valid


def named(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """A name that is not empty."""
    if not value.strip():
        raise ValueError(f"{variable_of(field)} is empty; give a name, or do not set it.")


def topic(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """The name of a topic, as Kafka takes it."""
    named(_, field, value)
    if not _TOPIC.fullmatch(value):
        raise _wrong(field, value, "a name of at most 249 letters, digits, dots, underscores and hyphens")


def mail(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """The URL of a server that takes e-mails."""
    if not re.match(r"smtps?://[^/]", value):
        wanted = "smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT"
        raise ValueError(f"{variable_of(field)} is {masked(value)}; give {wanted}.")


def zone(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """An IANA zone."""
    try:
        ZoneName().check(value)
    except FormError as error:
        raise ValueError(f"{variable_of(field)}: {error.message}") from None


def servers(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """Kafka's brokers."""
    given = [_SERVER.fullmatch(part) for part in value.split(",")]
    if not all(found and 1 <= int(found[1]) <= 65535 for found in given):
        wanted = "HOST:PORT of Kafka's brokers, separated by commas, or do not set it for the event log"
        raise _wrong(field, value, wanted)


def database(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """The URL of a database."""
    if not _DATABASE.match(value):
        wanted = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise ValueError(f"{variable_of(field)} is {masked(value)}; give {wanted}.")


def proxies(_: Any, field: "attrs.Attribute[Any]", value: str) -> None:
    """Addresses and networks."""
    for network in networks(value):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(
                f"{variable_of(field)} has {network!r}; give addresses and networks such as 10.1.2.3 and 10.0.0.0/8, "
                "separated by commas, or * for everybody."
            ) from None


def networks(text: str) -> list[str]:
    """Addresses and networks one by one; `*` is every network."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    return ["0.0.0.0/0", "::/0"] if given == ["*"] else given


def _wrong(field: "attrs.Attribute[Any]", value: Any, wanted: str) -> ValueError:
    return ValueError(f"{variable_of(field)} is {value!r}; give {wanted}.")
