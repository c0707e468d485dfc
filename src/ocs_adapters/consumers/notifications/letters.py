"""A notification as people read it: the subject and the text of an e-mail."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from ocs_core.money import Money


def subject(code: str, data: Mapping[str, Any]) -> str:
    """`paymentReceived, account A-1`"""
    account = data.get("account")
    return f"{code}, account {_account(account)}" if account else code


def text(code: str, occurred_at: dt.datetime, data: Mapping[str, Any], zone: ZoneInfo) -> str:
    """A line for each field that has a value; amounts as decimals with their currency, instants in the zone."""
    lines = {"notification": code, "time": _instant(occurred_at, zone), **dict(_lines(data, zone))}
    width = max(map(len, lines)) + 1
    return "".join(f"{f'{label}:':{width}} {value}\n" for label, value in lines.items())


def _lines(data: Mapping[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for field, value in data.items():
        if value is not None and field != "currency":
            yield _words(field), _told(field, value, data.get("currency"), zone)


def _told(field: str, value: Any, currency: str | None, zone: ZoneInfo) -> str:
    # Every whole number in a notification is an amount, and only dates may have a time in them.
    if isinstance(value, int) and not isinstance(value, bool) and currency:
        return str(Money(value, currency))
    if field == "account":
        return f"{_account(value)} ({value['refId']})" if value.get("externalId") else str(value.get("refId"))
    if "Date" in field and isinstance(value, str) and "T" in value:
        return _instant(dt.datetime.fromisoformat(value), zone)
    return str(value)


def _account(account: Mapping[str, Any]) -> str:
    return str(account.get("externalId") or account.get("refId"))


def _instant(instant: dt.datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _words(field: str) -> str:
    """`payment date received` of `paymentDateReceived`"""
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", field).lower()
