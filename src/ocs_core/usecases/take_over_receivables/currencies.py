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


def is_name_of(word: str, currency: str) -> bool:
    """Whether a word beside an amount may stand for that currency."""
    name = word.casefold()
    return name.rstrip(".") == currency.casefold() or currency in _SIGNS.get(name.rstrip("."), "").split()


def currency_of(text: str) -> str:
    """The code that a cell of a currency column means; a sign that several currencies share stays a sign."""
    meant = _SIGNS.get(text.casefold().rstrip("."), "").split()
    return meant[0] if len(meant) == 1 else text.upper()
