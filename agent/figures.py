"""Figures as a shopper reads them."""

from __future__ import annotations


def figure(value: float) -> str:
    """Return a number with two decimals at most, and never in powers of ten.

    Example:
        >>> [figure(each) for each in (4.3333333, 4.5, 5, 1234567.0, 0.004)]
        ['4.33', '4.5', '5', '1234567', '0']
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
