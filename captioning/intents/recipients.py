"""Recipients by grammar: for whom something is, "for my 5 year old", "a gift for a friend", "my wife loves it"."""

from __future__ import annotations

import re

from catalog.intents import IntentSpan, shown_value

_PERSON = (
    r"(?:mother|father|sister|brother|son|daughter|parents|sisters|brothers)-in-law|in-laws|(?:year|month)[- ]olds?|"
    r"wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|mother|mom|mum|mummy|mommy|mama|father|dad|daddy|papa|"
    r"parents?|sons?|daughters?|kids?|child(?:ren)?|bab(?:y|ies)|newborn|toddlers?|boys?|girls?|teen(?:ager)?s?|brothers?|"
    r"sisters?|siblings?|twins?|grand(?:mother|ma|father|pa|parents?|sons?|daughters?|children|child|kids?)|granny|nan|nana|"
    r"grandad|granddad|aunt(?:ie)?|uncle|nieces?|nephews?|cousins?|friends?|bff|buddy|colleagues?|co-?workers?|boss|teachers?|"
    r"neighbou?rs?|roommates?|flatmates?|bride|groom|newlyweds|family|guests?|men|women|man|woman|lady|ladies|"
    r"dogs?|cats?|pupp(?:y|ies)|kittens?"
)
_OWNED = r"(?:my|our|his|her|their|your|a|an|the|some|one of my)"
_STOPS = (
    r"(?:and|or|but|to|in|on|at|of|for|with|is|was|are|it|that|this|when|because|so|than|price|money|years?|months?|weeks?|"
    r"days?|hours?|from|by|as|if|we|i|you|they|he|she)\b(?![- ]old)"
)
_BETWEEN = rf"(?:(?!{_STOPS})(?:\w+(?:['’]s)?|\d+)[ -]){{0,3}}?"
_GIVEN = re.compile(
    rf"\bfor\s+(?P<who>(?:{_OWNED}\s+)?{_BETWEEN}(?:{_PERSON})(?:['’]s\b)?)(?=\W|$)"
    r"|\b(?:gift|present|something|surprise)\s+for\s+(?P<pronoun>him|her|them|myself|me)\b|\bfor\s+(?P<self>myself)\b",
    re.IGNORECASE,
)
_USER = re.compile(
    rf"\b(?P<who>(?:my|our)\s+{_BETWEEN}(?:{_PERSON}))\s+(?:(?:really|absolutely|just|also|simply|still|now|all|both|never)\s+)*"
    r"(?:loves?|loved|likes?|liked|adores?|adored|enjoys?|enjoyed|wears?|uses?|wants?|wanted|needs?|needed|hates?|hated|"
    r"asked|was|is|were|are|has|had)\b",
    re.IGNORECASE,
)


def recipients(text: str) -> list[IntentSpan]:
    """Return for whom a text says something is, by place; each person once.

    Example:
        >>> [r.value for r in recipients("Bought it for my little sister.")]
        ['my little sister']
    """
    spans: list[IntentSpan] = []
    for pattern in (_GIVEN, _USER):
        for match in pattern.finditer(text):
            group = next(name for name in ("who", "pronoun", "self") if name in pattern.groupindex and match[name])
            words = match[group]
            start, end = match.span(group)
            if all(end <= span.start or span.end <= start for span in spans):
                spans.append(IntentSpan("recipient", shown_value(words), start, end))
    return sorted(spans, key=lambda span: span.start)
