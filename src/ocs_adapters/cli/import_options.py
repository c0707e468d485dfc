"""The options of `ocs import receivables` that are more than a word: what they may be, and a sentence where they are not."""

import datetime as dt
from collections.abc import Sequence

from ocs_adapters.cli.commands import Refused
from ocs_core.usecases.take_over_receivables import SUMS, SYNONYMS, Meaning

NONE = "none"


def day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--as-of {text}: give a day such as 2024-12-31.") from None


def columns(given: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in given:
        field, sign, name = pair.partition("=")
        if not sign:
            raise Refused(f"--column {pair}: write field=NAME; the fields are {', '.join(SYNONYMS)}.")
        if field in columns:
            raise Refused(f"--column {field} is given twice.")
        columns[field] = " ".join(name.split())
    return columns


def signs(given: Sequence[str]) -> dict[str, str]:
    signs: dict[str, str] = {}
    for pair in given:
        sign, equals, code = pair.rpartition("=")
        if not equals or not sign or not code:
            raise Refused(f"--currency-sign {pair}: write SIGN=CODE, such as '$=USD'.")
        signs[sign.strip().rstrip(".").casefold()] = code.strip().upper()
    return signs


def repeated_fields(given: Sequence[str] | None, *, add_up: bool) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not add_up:
        raise Refused("--repeated says what --add-up does not add up; give both.")
    if wrong := [field for field in given if field not in {*SUMS, NONE}]:
        raise Refused(f"--repeated {wrong[0]}: the fields are {', '.join(SUMS)}; or {NONE}.")
    return tuple(sorted({field for field in given if field != NONE}))


def meanings(option: str, given: Sequence[str], allowed: Sequence[Meaning]) -> dict[str, Meaning]:
    meanings: dict[str, Meaning] = {}
    for pair in given:
        word, sign, meaning = pair.rpartition("=")
        if not sign or not word or meaning not in set(allowed):
            raise Refused(f"--{option} {pair}: write WORD=MEANING; the meanings are {', '.join(allowed)}.")
        meanings[word] = Meaning(meaning)
    return meanings
