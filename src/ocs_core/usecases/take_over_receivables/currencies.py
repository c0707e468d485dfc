"""How people write a currency: its code, its sign, its name in short."""

from collections.abc import Mapping

_SIGNS: Mapping[str, str] = {
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP",
    "us$": "USD",
    "£": "GBP EGP LBP GIP FKP SHP",
    "¥": "JPY CNY",
    "￥": "JPY CNY",
    "円": "JPY",
    "元": "CNY",
    "₹": "INR",
    "rs": "INR PKR LKR NPR MUR",
    "kr": "SEK NOK DKK ISK",
    "zł": "PLN",
    "zl": "PLN",
    "kč": "CZK",
    "kc": "CZK",
    "ft": "HUF",
    "fr": "CHF",
    "sfr": "CHF",
    "r$": "BRL",
    "r": "ZAR",
    "lei": "RON",
    "лв": "BGN",
    "₽": "RUB",
    "₺": "TRY",
    "tl": "TRY",
    "₩": "KRW",
    "₴": "UAH",
    "₪": "ILS",
    "₫": "VND",
    "฿": "THB",
    "₱": "PHP",
    "₦": "NGN",
    "kd": "KWD",
    "bd": "BHD",
    "dt": "TND",
}


_CODES = frozenset(code for codes in _SIGNS.values() for code in codes.split())


def is_name_of(word: str, currency: str) -> bool:
    """Whether a word beside an amount may stand for that currency."""
    name = word.casefold()
    return name.rstrip(".") == currency.casefold() or currency in _SIGNS.get(name.rstrip("."), "").split()


def is_name_of_any(word: str) -> bool:
    """Whether a word may stand for a currency: one of those that have a sign here."""
    return word.casefold().rstrip(".") in _SIGNS or word.upper() in _CODES


def codes_of(sign: str) -> list[str]:
    """The currencies that a sign may stand for."""
    return _SIGNS.get(sign.casefold().rstrip("."), "").split()


def currency_of(text: str, expected: str | None, told: Mapping[str, str]) -> str | None:
    """The code that a cell of a currency column means; None for a sign that several currencies share, unless one of them is
    `expected`, or it was told."""
    name = text.casefold().rstrip(".")
    if name in told:
        return told[name]
    meant = codes_of(text)
    if expected in meant:
        return expected
    return text.upper() if not meant else meant[0] if len(meant) == 1 else None
