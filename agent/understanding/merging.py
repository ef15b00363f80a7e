"""How a clause changes the wish: a fresh one, a refinement, a swap."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from agent.understanding import lexicon
from agent.understanding.discourse import TURNS
from agent.understanding.gist import Gist
from agent.understanding.mentions import Mention
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Facets, Wish
from agent.understanding.words import keys, singular

_SIDE = re.compile(r"\s*(?:,|,? and|&|\+)\s*")
Change = Literal["fresh", "refine", "swap"]


def merge(wish: Wish, gist: Gist, change: Change, vocabulary: Vocabulary, *, keep_price: bool = False) -> Wish:
    """Return the wish after a clause.

    Args:
        wish: What was wanted before.
        gist: What the clause says.
        change: `fresh` forgets all but whom and what it is for (and, with `keep_price`, the price); `refine` replaces
            facet by facet; `swap` puts another kind of thing in place and keeps what still has matches.
        vocabulary: The catalogue's words.
        keep_price: Whether a price bound outlives a fresh wish, because it is the shopper's budget.
    """
    if change == "fresh":
        kept = Wish(recipient=wish.recipient, occasion=wish.occasion, not_items=wish.not_items,
                    not_titles=wish.not_titles)  # fmt: skip
        if keep_price:
            kept = kept.priced(*_stated(wish), wish.limit)
        return _apply(kept, gist, vocabulary)
    if change == "swap":
        return _swapped(wish, gist, vocabulary)
    return _apply(_without(wish, gist.drops, vocabulary), gist, vocabulary)


def matches(wish: Wish, vocabulary: Vocabulary) -> set[int] | None:
    """Return the rows that satisfy every wanted facet and the price, None when none is asked."""
    parts = [vocabulary.rows([term]) for term in (*wish.wanted.terms(), *wish.also.terms())]
    if wish.price_min is not None or wish.price_max is not None:
        prices = vocabulary.prices
        low = wish.price_min if wish.price_min is not None else -1.0
        high = wish.price_max if wish.price_max is not None else float("inf")
        parts.append(set(((prices >= low) & (prices <= high)).nonzero()[0].tolist()))
    return set.intersection(*parts) if parts else None


def by_title(wish: Wish, vocabulary: Vocabulary) -> Wish:
    """Return a wish for a brand with the brand looked for in titles, where titles alone name it.

    Feeds leave the maker out of its own field more often than out of the title.
    """
    if not wish.wanted.brands or matches(wish, vocabulary):
        return wish
    bare = wish.model_copy(update={"wanted": wish.wanted.model_copy(update={"brands": ()})})
    rest = matches(bare, vocabulary)
    told = frozenset[int]().union(*(vocabulary.title_rows(keys(brand)) for brand in wish.wanted.brands))
    if not (told if rest is None else told & rest):
        return wish
    return bare.model_copy(update={"titled": tuple(brand.casefold() for brand in wish.wanted.brands)})


def nested(old: Iterable[Term], new: Iterable[Term], vocabulary: Vocabulary) -> bool:
    """Whether every item of the `new` kinds is of an `old` kind too."""
    return vocabulary.rows(new) <= vocabulary.rows(old)


def _apply(wish: Wish, gist: Gist, vocabulary: Vocabulary) -> Wish:
    wanted, also, said = _add(wish, gist, vocabulary)
    unwanted = wish.unwanted
    for mention in gist.wanted:
        unwanted = unwanted.minus(mention.term)
    for mention in gist.denied:
        unwanted = unwanted.plus(mention.term)
        if mention.term.kind == "brand":
            # Not every record names its maker; a title that does is enough to leave it out.
            unwanted = unwanted.with_words((mention.text,))
        wanted, also = wanted.minus(mention.term), also.minus(mention.term)
        said = tuple(word for word in said if not _says(word, mention, vocabulary))
    unwanted = unwanted.with_words(gist.denied_words)
    opposite = {lexicon.OPPOSITES.get(word) for word in gist.words}
    words = tuple(w for w in wanted.words if w not in opposite and w not in gist.denied_words)
    wanted = wanted.model_copy(update={"words": words}).with_words(gist.words)
    unknown = tuple(w for w in dict.fromkeys((*wish.unknown, *gist.unknown)) if w in wanted.words)
    changes: dict[str, object] = {
        "wanted": wanted,
        "also": also,
        "unwanted": unwanted,
        "said": said,
        "unknown": unknown,
        "not_titles": tuple(dict.fromkeys((*wish.not_titles, *(each.title for each in gist.titles if each.seen)))),
        "titled": gist.titled or wish.titled,
        "strangers": tuple(w for w in dict.fromkeys((*wish.strangers, *gist.strangers)) if w in unknown),
    }
    if gist.price is not None:
        limit = gist.price.limit
        if wish.limit is not None and not TURNS.search(gist.text):
            limit = limit.closed_by(wish.limit) or limit
        low, high = limit.bounds
        changes |= {"price_min": low, "price_max": high, "limit": limit}
    if gist.own:
        changes |= {"recipient": None, "occasion": None}
    said_now = {
        "years": (gist.years.first, gist.years.last) if gist.years else None,
        "year_gaps": gist.years.gaps if gist.years else None,
        "noun": gist.noun,
        "count": gist.count,
        "sort": gist.sort,
        "recipient": gist.recipient,
        "occasion": gist.occasion,
        "available": gist.in_stock or None,
    }
    changes |= {name: value for name, value in said_now.items() if value is not None}
    return wish.model_copy(update=changes)


def _add(wish: Wish, gist: Gist, vocabulary: Vocabulary) -> tuple[Facets, Facets, tuple[str, ...]]:
    """Return wanted and also with the clause's mentions put in, facet by facet, and the query's words."""
    wanted, also, said = wish.wanted, wish.also, wish.said
    by_facet: dict[tuple[str, str], list[Mention]] = {}
    for mention in gist.wanted:
        by_facet.setdefault(mention.term.facet, []).append(mention)
    adding = gist.text.startswith(("or ", "also ", "and also ")) or gist.text.endswith((" too", " as well"))
    for mine in by_facet.values():
        term = mine[0].term
        if not adding:
            gone = {singular(v.casefold()) for v in (*wanted.values(term), *also.values(term))}
            said = tuple(w for w in said if singular(w) not in gone and not _names(w, term, vocabulary))
            for kind, name in vocabulary.alike(term.facet):
                wanted, also = wanted.put(Term(kind, name, ()), ()), also.put(Term(kind, name, ()), ())
        one_of, all_of = _alternatives(mine, gist.text, vocabulary)
        for mention in one_of:
            wanted = wanted.plus(mention.term)
        for mention in all_of:
            also = also.plus(mention.term)
            # No filter looks for it, so the query does, by the catalogue's own word.
            said += tuple(value for value in mention.term.values[:1] if mention.how != "exact" and value not in said)
            said += (mention.text,) if mention.how == "exact" and mention.text not in said else ()
    said += tuple(w for mention in gist.wanted for w in [_query(mention, vocabulary)] if w and w not in said)
    return wanted, also, said


TITLED = 0.1
"""Share of a kind's titles that must hold its word for the word to help a search among them."""


def _query(mention: Mention, vocabulary: Vocabulary) -> str:
    """Return the word a mention adds to the query, "" where the filter says it all.

    Mugs are called mugs in their titles. War films are not: there the word would only lift "War, The".
    """
    if mention.term.kind != "category":
        return mention.text
    phrase = tuple(singular(word) for word in mention.text.split())
    rows = vocabulary.rows([mention.term])
    held = len(rows & vocabulary.title_rows(phrase))
    return mention.text if held >= TITLED * len(rows) else ""


def _alternatives(mine: list[Mention], text: str, vocabulary: Vocabulary) -> tuple[list[Mention], list[Mention]]:
    """Part mentions of one facet into those any of which fits, and those that must hold besides.

    "Mugs and vases" share no item: either will do. "An action comedy" does: the rarer one filters, the other is
    checked. A kind that contains another ("home" beside "mugs") adds nothing.
    """
    mine = list({mention.term.values: mention for mention in reversed(mine)}.values())[::-1]
    rows = [vocabulary.rows([mention.term]) for mention in mine]
    narrow = [i for i, r in enumerate(rows) if not any(r > other for other in rows)]
    chosen = sorted(dict.fromkeys(narrow), key=lambda i: len(rows[i]))
    if len(chosen) < 2 or mine[0].term.kind == "brand" or " or " in text or _several(mine, text):
        return [mine[i] for i in chosen], []
    both = set.intersection(*(set(mine[i].term.values) for i in chosen))
    if both and mine[0].term.kind == "attribute":
        values = tuple(value for value in mine[chosen[0]].term.values if value in both)
        return [replace(mine[chosen[0]], term=replace(mine[chosen[0]].term, values=values))], []
    together = rows[chosen[0]].intersection(*(rows[i] for i in chosen[1:]))
    if not together and not (vocabulary.flat and _one_phrase([mine[i] for i in chosen], text)):
        return [mine[i] for i in chosen], []
    return [mine[chosen[0]]], [mine[i] for i in chosen[1:]]


def _several(mine: list[Mention], text: str) -> bool:
    """Whether kinds are named side by side, as "westerns and war films" are and "an action comedy" is not."""
    ordered = sorted(mine, key=lambda mention: mention.start)
    return any(
        first.text.endswith("s") and _SIDE.fullmatch(text, first.end, second.start)
        for first, second in pairwise(ordered)
        if first.term.kind == "category"
    )


def _one_phrase(mine: list[Mention], text: str) -> bool:
    """Whether mentions stand in one phrase, "a musical horror western", with nothing between them."""
    ordered = sorted(mine, key=lambda mention: mention.start)
    return all(not text[a.end : b.start].strip(" -") and not a.text.endswith("s") for a, b in pairwise(ordered))


def _swapped(wish: Wish, gist: Gist, vocabulary: Vocabulary) -> Wish:
    """Put the clause's kind of thing in place of the old one; keep what still has matches, price longest.

    Of constraints that leave nothing of the new kind, those go first without which most is left.
    """
    said = tuple(w for w in wish.said if not _is_category(w, vocabulary))
    bare = wish.model_copy(update={
        "wanted": wish.wanted.model_copy(update={"categories": (), "words": ()}), "unknown": (), "titled": (),
        "sort": "relevance", "also": Facets(), "said": said, "like": (), "noun": None,
    }).priced(*_stated(wish), wish.limit)  # fmt: skip
    while True:
        tried = _apply(bare, gist, vocabulary)
        found = matches(tried, vocabulary)
        if found is None or found:
            return tried
        options = [_without_term(bare, term, vocabulary) for term in bare.wanted.terms()]
        if not options:
            return _apply(bare.priced(None, None), gist, vocabulary)
        bare = max(options, key=lambda each: len(matches(_apply(each, gist, vocabulary), vocabulary) or ()))


def _without_term(wish: Wish, term: Term, vocabulary: Vocabulary) -> Wish:
    said = tuple(word for word in wish.said if not _names(word, term, vocabulary))
    return wish.model_copy(update={"wanted": wish.wanted.put(term, ()), "said": said})


def _stated(wish: Wish) -> tuple[float | None, float | None]:
    """Return the price bounds another kind of thing takes over: as stated, not as "cheaper" made them of the old."""
    return wish.limit.bounds if wish.limit is not None else (wish.price_min, wish.price_max)


def _without(wish: Wish, drops: tuple[str, ...], vocabulary: Vocabulary) -> Wish:
    """Return the wish without the facets (or single values) no longer wanted."""
    for word in drops:
        if word in ("price", "budget", "cost", "money"):
            wish = wish.priced(None, None).model_copy(update={"sort": "relevance"})
            continue
        named = vocabulary.facet_named(word)
        term = Term(*named, ()) if named else vocabulary.term((word,))
        if term is None:
            continue
        said = tuple(w for w in wish.said if not _names(w, term, vocabulary))
        kept = {part: _cut(getattr(wish, part), term) for part in ("wanted", "also", "unwanted")}
        wish = wish.model_copy(update={**kept, "said": said})
    return wish


def _cut(facets: Facets, term: Term) -> Facets:
    return facets.minus(term) if term.values else facets.put(term, ())


def _names(word: str, term: Term, vocabulary: Vocabulary) -> bool:
    """Whether a said phrase names a value of the facet of `term`."""
    found = vocabulary.term(tuple(singular(w) for w in word.split())) or vocabulary.related(singular(word))
    return found is not None and found.facet == term.facet


def _says(word: str, mention: Mention, vocabulary: Vocabulary) -> bool:
    """Whether a said phrase means no more than what a mention names: "blu" and "blue"."""
    if singular(word) == singular(mention.text):
        return True
    found = vocabulary.term(tuple(singular(w) for w in word.split())) or vocabulary.related(singular(word))
    return found is not None and found.facet == mention.term.facet and set(found.values) <= set(mention.term.values)


def _is_category(word: str, vocabulary: Vocabulary) -> bool:
    return _names(word, Term("category", "", ()), vocabulary)
