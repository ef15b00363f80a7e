"""Talk that asks for nothing in the shop."""

from __future__ import annotations

import re
from typing import Literal

Topic = Literal["greeting", "thanks", "bye", "wellbeing", "abilities", "assent", "refusal", "reset"]

_TOPICS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    ("reset", re.compile(
        r"\b(?:start (?:over|again|afresh)|new search|from scratch|reset(?: everything)?|"
        r"forget (?:everything|it all|all (?:of )?(?:that|this|it)|it)|clear everything|"
        r"never ?mind(?: (?:that|it|all that))?)"
        r"(?=\s*(?:$|[.,!?]|please))")),
    ("abilities", re.compile(
        r"\b(?:what (?:can|do) you do|how (?:can|could) you help(?: me)?|who are you|what are you|how does this work|"
        r"are you (?:a |an )?(?:bot|robot|human|real|ai|person|machine)(?: person)?|what(?: is|"
        r"'s) your name|help(?: me)?$)")),
    ("wellbeing", re.compile(
        r"\b(?:how are you(?: doing)?(?: today)?|how(?: is|'s) it going|what'?s up|how do you do)\b")),
    ("bye", re.compile(
        r"\b(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|cya|farewell then|have a (?:nice|good|"
        r"great) (?:day|one|evening)|"
        r"that'?s (?:all|it|everything)(?: for (?:now|today))?|i'?m (?:done|good|all set))\b")),
    ("thanks", re.compile(
        r"\b(?:thank(?:s| you)(?: (?:so|very) much| a lot| again)?|thx|cheers|much appreciated|ta|"
        r"(?:that'?s |that is )?(?:perfect|great|awesome|wonderful|lovely|excellent)(?=\s*(?:$|[.,!]|thank))|"
        r"you(?: are|'re) (?:so |very |really )?(?:funny|great|the best|amazing|awesome|sweet|nice|helpful|kind)|"
        r"(?:very )?(?:helpful|kind))\b")),
    ("greeting", re.compile(
        r"\b(?:hello|hi|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|salut|hola|"
        r"moin)(?: there| again| all)?\b")),
    ("refusal", re.compile(r"^(?:no|nope|nah)(?: (?:thanks|thank you))?\b(?=\s*(?:$|[.,!]))")),
    ("assent", re.compile(
        r"^(?:yes|yeah|yep|yup|ok(?:ay)?|sure|lol|lmao|rofl|(?:ha){2,}h?|(?:he){2,}|"
        r"alright|fine|go ahead|sounds good)(?: please)?\b(?=\s*(?:$|"
        r"[.,!]))"
    )),
)  # fmt: skip
_SERVICE = re.compile(
    r"\b(?:return policy|returns policy|refunds?|shipping|delivery|deliver(?:ed)? to|ship to|"
    r"(?:do|can|could|will|would) you (?:also |ever |even )*(?:deliver|ship|post it|gift[- ]?wrap)|"
    r"opening (?:hours|times)|"
    r"where are you|customer (?:service|support)|phone number|payment|pay (?:with|by)|credit card|paypal|warranty|"
    r"where(?: is|'s|s) my (?:order|parcel|package|delivery)|"
    r"(?:to|in|into) (?:my |the )?(?:cart|basket|shopping bag)|check ?out|"
    r"guarantee|discounts?(?: codes?)?|\d+ ?(?:%|percent) off|half (?:the )?price|special offers?|negotiat\w+|haggl\w+|"
    r"vouchers?|coupons?|track my|cancel my|my account|privacy)\b"
)
_POLITE = re.compile(
    r"\b(?:lol|lmao|rofl|(?:ha){2,}h?|(?:he){2,}|"
    r"please|so|well|oh|ah|um|uh|and|very|much|again|then|for (?:your|the) help|you(?: are|'re)?|all|dear|sir|"
    r"madam|mate|friend|today|now|ok(?:ay)?|no|yes|just|a lot|there|it|this|me)\b"
)
_LAUGH = re.compile(r"^\W*(?:lol|lmao|rofl|(?:ha){2,}h?|(?:he){2,})\b[\s,.!]*(?=\w)")
_OFF_TOPIC = re.compile(
    r"\b(?:weather|forecast|temperature (?:in|outside)|president|prime minister|election|politic\w*|parliament|"
    r"war in|stock market|bitcoin|crypto\w*|exchange rate|football (?:score|match|result)|who won|capital (?:city )?of|"
    r"population of|(?:write|debug|fix|generate|explain|run)\b.{0,30}\b(?:code|script|function|"
    r"program|sql|html|regex|essay|poem|"
    r"homework|song|email|letter)|python|javascript|sql query|translate|homework|tell me a joke|a joke|horoscope|"
    r"solve|equation|square root|\d+\s*[*x/+]\s*\d+\s*=?|what time is it|what day is|news today|"
    r"latest news|meaning of life|"
    r"recipe for|medical advice|symptoms?|lawyer|tax(?:es)? return|(?:system|your|initial) prompt|"
    r"(?:ignore|disregard|forget|override)\b.{0,30}\b(?:instructions?|rules|prompts?|guidelines)|jailbreak|"
    r"developer mode|do anything now|pretend (?:to be|you are)|act as (?:a|an|my)|password|api key|"
    r"other (?:customers?|shoppers?|users?)'? (?:data|orders?|address\w*|names?|emails?))\b"
)


def topic(text: str) -> Topic | None:
    """Return what a folded text is about when it is small talk and nothing more, else None."""
    first: Topic | None = None
    rest = text
    for name, pattern in _TOPICS:
        stripped = pattern.sub(" ", rest)
        if stripped != rest:
            first, rest = first or name, stripped
    if first is None:
        return None
    return None if re.search(r"\w", _POLITE.sub(" ", rest)) else first


def without(text: str) -> str:
    """Return a folded text without its greetings and laughs ("hi, I need a lamp" -> "i need a lamp")."""
    text = _LAUGH.sub("", text)
    for name, pattern in _TOPICS:
        if name in ("greeting", "wellbeing"):
            text = pattern.sub(" ", text, count=1) if pattern.match(text) else text
    return " ".join(text.strip(" ,.!;:-").split())


def service(text: str) -> bool:
    """Whether a folded text asks how the shop works rather than what it sells."""
    return _SERVICE.search(text) is not None


def off_topic(text: str) -> bool:
    """Whether a folded text asks for something no shop sells, or to leave the shop's rules."""
    return _OFF_TOPIC.search(text) is not None
