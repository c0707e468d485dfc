"""Amounts as ledgers write them: exact, and a bad row where there is any doubt."""

import re

from ocs_core.errors import AmountOutOfRange, InvalidValue
from ocs_core.money import Money

_GROUPED = re.compile(r"-?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})")
_SWAPPED = str.maketrans({",": ".", ".": ","})


def amount_of(text: str, currency: str, *, decimal_comma: bool = False) -> int:
    """Millionths of `1234.56` or `1,234.56`; with `decimal_comma` of `1234,56` or `1.234,56`.

    `1,234` alone may mean two things and is refused. Raises `InvalidValue`.
    """
    plain = text.translate(_SWAPPED) if decimal_comma else text
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    try:
        return Money.parse(plain, currency).amount
    except AmountOutOfRange:
        raise
    except InvalidValue:
        example = "1234,90 or 1.234,90" if decimal_comma else "1234.90 or 1,234.90"
        raise InvalidValue(f"{text[:40]!r} is not an amount such as {example}") from None
