"""Amounts as people write them: `1,200`, `9,50`, `1.234,56`, `2k`."""

from __future__ import annotations

import re

_SPACES = re.compile(r"[\s\u00a0\u202f]")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
MOST = 1e12
"""No amount is larger: more digits are no price."""


def amount(written: str) -> float:
    """Return the value of an amount in digits.

    Groups of three behind a comma or a point are thousands; where both stand, the last one is the decimal mark; one
    alone is. `k` behind the digits is a thousand.

    Args:
        written: Digits with commas, points and spaces between them, perhaps `k`.

    Example:
        >>> [amount(each) for each in ("1,200", "9,50", "1.234,56", "1,234.56", "2k", "0.5", "12\u202f500")]
        [1200.0, 9.5, 1234.56, 1234.56, 2000.0, 0.5, 12500.0]
    """
    plain = _SPACES.sub("", written)
    factor = 1000.0 if plain[-1] in "kK" else 1.0
    digits = plain.rstrip("kK")
    if _GROUPED.fullmatch(digits):
        digits = re.sub(r"[.,]", "", digits)
    elif "," in digits and "." in digits:
        last = max(digits.rfind(","), digits.rfind("."))
        digits = re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]
    whole, *rest = digits.replace(",", ".").split(".")
    return min(float(f"{whole}.{''.join(rest) or '0'}") * factor, MOST)
