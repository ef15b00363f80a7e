"""Prices in words: one way to write them, and every way a model may."""

from __future__ import annotations

import re

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}

_CODES = "USD|EUR|GBP|JPY|INR|CHF|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|CNY|RMB|KRW|BRL|MXN|ZAR|SGD|HKD"
_NAMED = (
    r"(?:US |Canadian |Australian )?dollars?|euros?|pounds?|bucks|quid|(?:Swiss )?francs?|yen|yuan|rupees?|"
    r"roubles?|rubles?|pesos?|lira|zloty|złoty|zł|kron(?:a|or|er|e)|kr|koruna"
)
_AHEAD = rf"(?:(?:US|CA|A|NZ)?\$|{_CODES}|euros?|[€£¥₹₽₩₺₴₫฿₪₦])"
_UNIT = rf"(?:{_AHEAD}|{_NAMED})"
_AMOUNT = r"\d{1,3}(?:[,  ]\d{3})+(?:\.\d{1,2})?|\d+(?:[.,]\d{1,2})?(?!\d)"
_POWER = r"\d+(?:[.,]\d+)?e[+-]?\d+"
PRICE = re.compile(
    rf"(?<!\w)(?P<pre>{_AHEAD})\s?(?P<a>{_AMOUNT})(?:\s?(?:USD|EUR|GBP)\b)?"
    rf"|(?<![\w.])(?P<b>{_AMOUNT})\s?(?P<post>{_UNIT}(?!\w))"
    rf"|(?<![\w.])(?P<c>\d+[.,]\d{{2}})(?![\w.]\d)"
    rf"|\b(?:costs?|price(?:d|s)?(?:\s+(?:at|of|is))?|for\s+(?:just|only)|at\s+(?:just|only)|"
    rf"(?:goes|going|yours) for)\s*:?\s*(?:(?:just|only|merely|a mere|about|around|exactly)\s+)*"
    rf"(?P<d>{_AMOUNT})(?:\s?(?P<last>{_UNIT}(?!\w)))?",
    re.IGNORECASE,
)
"""An amount of money in prose; `amount` reads the match."""

WORDED = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)"
    r"[\s-]+(?:dollars?|euros?|pounds?|bucks|cents?)\b"
    rf"|{_AHEAD}\s?{_POWER}(?!\w)|(?<![\w.]){_POWER}\s?{_UNIT}(?!\w)|[½⅓¼¾⅔⅕](?:\s?(?:the|of the))?\s(?:price|off)\b",
    re.IGNORECASE,
)
"""An amount spelled out, in powers of ten or as a fraction, which nobody needs and nobody can check."""


def price_text(price: float | None, currency: str | None) -> str | None:
    """Return a price as a shopper reads it, None where the record has none.

    Example:
        >>> price_text(24.0, "EUR"), price_text(1249.5, "SEK"), price_text(5, None), price_text(None, "EUR")
        ('€24.00', '1,249.50 SEK', '5.00', None)
    """
    if price is None:
        return None
    amount = f"{price:,.2f}"
    if currency in SYMBOLS:
        return f"{SYMBOLS[currency]}{amount}"
    return f"{amount} {currency}" if currency else amount


def amount(match: re.Match[str]) -> float:
    """Return the number of a `PRICE` match."""
    return number(next(g for g in (match["a"], match["b"], match["c"], match["d"]) if g is not None))


def number(text: str) -> float:
    """Return the number in `text`, whose comma may part thousands or be a decimal comma.

    Example:
        >>> number("1,249.50"), number("24,90"), number("12")
        (1249.5, 24.9, 12.0)
    """
    plain = re.sub(r"[  ]", "", text)
    if re.fullmatch(r"\d+,\d{1,2}", plain):
        return float(plain.replace(",", "."))
    return float(plain.replace(",", ""))
