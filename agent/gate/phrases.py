"""Turns of phrase in which a sentence speaks for the shop: terms of sale, and what it does not carry."""

from __future__ import annotations

import re

TERMS = re.compile(
    r"\b(?:free (?:shipping|delivery|returns?)|shipping|ships|deliver(?:y|ed|s)|discount(?:ed|s)?|on sale|coupons?|"
    r"vouchers?|promo(?:tion)?s?|clearance|warrant(?:y|ies)|guarantee[ds]?|refund(?:able|s)?|money[- ]back|"
    r"half(?: the)? price|half off|(?:\d+ ?%|\w+ per ?cent) (?:off|discount|less|cheaper|reduction)|for free|"
    r"free of charge|(?:promo|discount|coupon|voucher) code|with (?:the )?code|limited time)\b",
    re.IGNORECASE,
)
"""Terms of the house: no merchant's text can grant them, only a field of a record or a tool can."""

_HOUSE = r"(?:shop|store|catalogue|catalog|range)"
_KEEP = r"(?:have|has|carry|carries|sell|sells|stock|stocks|offer|offers|keep|keeps)(?: got)?"
_OURS = rf"(?:we|i|the {_HOUSE}|this {_HOUSE}|our {_HOUSE})\s+(?:currently |really |just |simply )?"
DENIAL = re.compile(
    rf"\b{_OURS}(?:(?:do(?:es)?n['’]t|do(?:es)? not|can['’]?t|cannot)\s+(?:currently |really )?"
    rf"{_KEEP}(?: any(?:thing)?)?"
    rf"|{_KEEP}\s+(?:no|none|nothing|not a single)|(?:haven['’]t|hasn['’]t) got any(?:thing)?)\b"
    rf"|\bthere (?:is|are)(?:n['’]t| not)? (?:no(?:thing|ne)?|any(?:thing)?)\b(?=[^.!?]*\b(?:{_HOUSE}|here|stock)\b)"
    rf"|\b(?:is|are)(?:n['’]t| not) (?:carried|sold|stocked)\b|\bnot in (?:our|the|this) {_HOUSE}\b",
    re.IGNORECASE,
)
"""Sentences that deny the shop has something."""
