"""What a shopper tells of themselves for good ("I wear size M", "I can't stand red"), told apart from a wish of today.

Only sentences in the first person count, and only words of the catalogue's own facets: what a sentence does not
plainly say of the shopper is left to the wish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from agent.understanding.mentions import Mention, mentions
from agent.understanding.quantities import price_bounds
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Part
from agent.understanding.words import fold, split

_PIECE = re.compile(
    r"(?P<said>.+?)(?P<mark>[.!?;\n]+(?=\s|$)|$|,?\s+\b(?:and|but|also|plus)\s+(?=(?:i|i'm|i've|my)\b)|"
    r",\s*(?=(?:i|i'm|i've|my)\b))",
    re.IGNORECASE | re.DOTALL,
)
_LEAD = (
    r"(?:(?:hi|hello|hey|oh|well|so|and|but|also|please|actually|fyi|by the way|btw|just so you know|you should know|"
    r"for (?:next time|the future|later|the record)|(?:please )?(?:remember|note|keep in mind)(?: that)?|in general|"
    r"generally|normally|usually)[,:]?\s+)*"
)
_HOW = r"(?:(?:really|absolutely|just|also|generally|usually|mostly|always|quite|simply|truly|normally|do|so) )*"
_AM = r"i(?:'m| am) "
_DISLIKE = re.compile(
    rf"{_LEAD}(?:i {_HOW}(?:hate|dislike|detest|loathe|can'?t stand|cannot stand|avoid|never (?:wear|buy|use|watch)|"
    r"(?:don'?t|do not|doesn'?t) (?:really |much )?(?:like|love|enjoy|wear|eat|watch)(?: to wear| wearing)?)|"
    rf"{_AM}(?:really )?(?:allergic to|not (?:a (?:big |great )?fan of|into|fond of|keen on)))\s+(?P<what>.+)"
)
_LIKE = re.compile(
    rf"{_LEAD}(?:i {_HOW}(?:like|love|adore|enjoy)(?: to wear| wearing)?|"
    r"i (?:always|usually|generally|mostly|only) (?:wear|buy|prefer)|"
    rf"{_AM}(?:really )?(?:a (?:big |great |huge )?fan of|into|fond of|keen on)|"
    r"my (?:all[ -]time )?favou?rite (?P<facet>[a-z]+)s? (?:is|are))\s+(?P<what>.+)"
)
_TOKEN = r"(?P<size>x{0,3}[sml]|\d{1,3}(?:[.,]5)?|(?:extra |x-)?(?:small|large)|medium)"
_OF = r"(?: (?:in|for) (?P<about>[a-z]+(?: [a-z]+)?))?"
_SIZES = (
    re.compile(rf"{_LEAD}my (?:(?P<of>[a-z]+) )?size is (?:usually |an? |(?:eu|uk|us) )?{_TOKEN}{_OF}"),
    re.compile(rf"{_LEAD}(?:{_AM}|i {_HOW}(?:wear|take|have) )(?:an? )?(?:(?P<of>[a-z]+) )?size {_TOKEN}{_OF}"),
    re.compile(rf"{_LEAD}(?:{_AM}an? |i {_HOW}wear (?:an? )?){_TOKEN}{_OF}"),
)
_BUDGET = re.compile(
    rf"{_LEAD}(?:my (?:usual |normal |general )?(?:budget|limit) is\b|"
    r"i (?:never|don'?t|do not|won'?t)(?: usually| normally| ever| want to)? (?:spend|pay) (?:more than|over|above)\b|"
    r"i (?:usually|normally|generally|always|only) (?:spend|pay) (?:up to|at most|no more than|less than|under)\b).+"
)
_TODAY = re.compile(
    r"\b(?:today|tonight|right now|this time|at the moment|for (?:this|that|once|now)|now|anymore|if|here|would|"
    r"these|those|this|that|one|ones|it|them)\b"
)
_POINTS = re.compile(r"(?:the|your|his|her|how|what|when|where|which|who|you|him|being|going|#)\b|#")
_STOP = re.compile(
    r"\b(?:but|because|since|so|with|under|below|over|for|when|though|although|unless|please|show|find|give|recommend|looking|need|want|can|could|do)\b|[;:]"
)
_SMALL = re.compile(
    r"\b(?:hi|hello|hey|hiya|thanks?|thank you|please|ok(?:ay)?|good (?:morning|evening|afternoon)|there|and|so|"
    r"well|oh|also|that'?s (?:all|it)|(?:please )?(?:remember|note) (?:that|this|it))\b"
)
_NAMED = {"small": "s", "medium": "m", "large": "l", "extra small": "xs", "extra large": "xl"}
_NAMED |= {"x-small": "xs", "x-large": "xl"}


class Statement(Part):
    """One thing said of oneself; see `catalog.told.Told` for the fields.

    `words` is the sentence as written.
    """

    kind: Literal["like", "dislike", "size", "budget"]
    facet: str
    value: str
    words: str
    about: str | None = None


class Telling(Part):
    """What a message tells of the shopper, and whether it says nothing besides."""

    statements: tuple[Statement, ...] = ()
    only: bool = False


def telling(message: str, vocabulary: Vocabulary) -> Telling:
    """Return what `message` tells of the shopper for good.

    Example:
        >>> from catalog.items import Catalog
        >>> from catalog.nouns import Item
        >>> shop = Catalog([Item("1", categories=("dresses",), attributes={"colour": ("red",)}, sizes=("S", "M"))])
        >>> told = telling("A dress. I wear size m and I can't stand red!", Vocabulary(shop))
        >>> [(each.kind, each.value, each.words) for each in told.statements], told.only
        ([('size', 'M', 'I wear size m'), ('dislike', 'red', "I can't stand red")], False)
    """
    found: list[Statement] = []
    only = True
    for piece, asks in _pieces(message[:2000]):
        text = fold(piece)
        said = [] if asks else list(_statements(text, piece.strip(" ,"), vocabulary))
        found += said
        only = only and (bool(said) or not re.search(r"\w", _SMALL.sub(" ", text)))
    kept: dict[tuple[str, str, str, str | None], Statement] = {}
    for each in found:
        key = (each.kind, each.facet, each.value, each.about)
        kept.pop(key, None)  # said once more it stands last: of "I hate red, I love red, I hate red" the end counts
        kept[key] = each
    return Telling(statements=tuple(kept.values()), only=only and bool(found))


def _pieces(message: str) -> Iterator[tuple[str, bool]]:
    """Yield the sentences about the speaker and the rest, each with whether it is a question."""
    plain = message.replace("’", "'")
    for match in _PIECE.finditer(plain):
        if match["said"].strip(" ,"):
            yield match["said"], "?" in match["mark"]


def _statements(text: str, words: str, vocabulary: Vocabulary) -> Iterator[Statement]:
    if budget := _budget(text, words, vocabulary):
        yield budget
        return
    if size := _size(text, words, vocabulary):
        yield size
        return
    for kind, pattern in (("dislike", _DISLIKE), ("like", _LIKE)):
        if match := pattern.fullmatch(text):
            for value, facet in _tastes(match["what"], vocabulary):
                yield Statement(kind=kind, facet=facet, value=value, words=words)
            return


def _budget(text: str, words: str, vocabulary: Vocabulary) -> Statement | None:
    if not vocabulary.priced or not _BUDGET.fullmatch(text) or _TODAY.search(text) or re.search(r"\bfor an?\b", text):
        return None
    # "More than 50" behind "never" is a bound from above, which the bounds of a wish do not know.
    bounds = price_bounds(re.sub(r"\b(?:more than|over|above)\b", "up to", text))
    high = bounds[-1].limit.high if bounds else None
    if not high:
        return None
    amount = f"{high:.2f}".removesuffix(".00")
    return Statement(kind="budget", facet="price", value=amount, words=words)


def _size(text: str, words: str, vocabulary: Vocabulary) -> Statement | None:
    match = next((m for pattern in _SIZES if (m := pattern.fullmatch(text.rstrip(" .!,")))), None)
    if match is None or _TODAY.search(text):
        return None
    token = match["size"].replace(",", ".")
    about = match["about"] or match.groupdict().get("of")
    facet = vocabulary.facets.get(("size", ""))
    known = {value.casefold(): value for value in facet.rows} if facet is not None else {}
    value = known.get(token) or known.get(_NAMED.get(token, token)) or _NAMED.get(token, token).upper()
    return Statement(kind="size", facet="size", value=value, words=words, about=about)


def _tastes(what: str, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Yield the words and facets a shopper speaks of; none where they point at something shown or at a combination."""
    if _POINTS.match(what) or _TODAY.search(what) or vocabulary.title(what.strip(" .!,")):
        return
    stop = _STOP.search(what)
    text = what[: stop.start()] if stop else what
    named = _outside(mentions(text, split(text), vocabulary, denied=()), text)
    # "Blue vases" is a wish for some vases rather than a word on blue, or on vases.
    if len({mention.term.facet for mention in named}) > 1 and any(m.term.kind == "category" for m in named):
        return
    for mention in named:
        if mention.term.kind != "size":
            name = f"attribute.{mention.term.name}" if mention.term.kind == "attribute" else mention.term.kind
            values = mention.term.values  # one value is spelt as the catalogue does; a family of colours as it was said
            yield values[0] if len(values) == 1 else mention.text, name


def _outside(named: Sequence[Mention], text: str) -> list[Mention]:
    """Return the mentions when nothing of weight stands between them; "I love how red looks" tells of no taste."""
    rest = text
    for mention in reversed(named):
        rest = rest[: mention.start] + " " + rest[mention.end :]
    rest = re.sub(
        r"\b(?:and|or|nor|any|all|the|an?|anything|everything|things?|stuff|clothes|in|made|of|from|by|colou?rs?|most|"
        r"very|much|kinds?|sorts?|wearing|wear|to|too|either|as well|both|items?|products?|films?|movies?)\b",
        " ",
        rest,
    )
    return [] if re.search(r"[^\W\d_]{2,}", rest) else list(named)
