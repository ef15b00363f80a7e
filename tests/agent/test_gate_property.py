"""True sentences about records pass the gate, whatever they are dressed in; false ones, a value swapped, never do."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_items

FILMS = tuple(
    Item(
        item_id=f"F{n}",
        title=f"{title} ({year})",
        categories=(genre,),
        attributes={"director": (director,), "actors": actors, "language": (language,)},
        description=plot,
    )
    for n, (title, year, genre, director, actors, language, plot) in enumerate(
        [
            ("Harbour Lights", 1994, "Drama", "Ida Norling", ("Tom Varga", "Lena Okafor"), "Swedish", "A pilot waits."),
            ("The Long Dune", 1987, "Western", "Paul Mercer", ("Nick Adair", "Rosa Lindt"), "English", "Two riders."),
            ("Paper Moons", 2003, "Comedy", "Chiara Belli", ("Marco Testa", "Ann Dupree"), "Italian", "A wedding."),
            ("Cold Signal", 2016, "Thriller", "Jonas Weir", ("Eva Strand", "Omar Haddad"), "German", "A lost radio."),
        ]
    )
)

KINDS = {"vases": "vase", "lamps": "lamp", "scarves": "scarf", "bags": "bag", "mugs": "mug"}

Values = Callable[[Item], str | None]

CLAIMS: dict[str, tuple[Values, tuple[str, ...]]] = {
    "price": (
        lambda item: f"{item.price:.2f}" if item.price else None,
        ("{n} costs €{v}.", "{n} is priced at {v} EUR.", "For €{v}: {n}.", "{n} | {v} euros", "**{n}** – €{v}"),
    ),
    "colour": (
        lambda item: next(iter(item.attributes.get("colour", ())), None),
        ("{n} is {v}.", "The colour of {n} is {v}.", "{n} comes in {v}.", "A {v} one: {n}.", "{n} | {v} |"),
    ),
    "material": (
        lambda item: next(iter(item.attributes.get("material", ())), None),
        ("{n} is made of {v}.", "{n}: {v}, quite lovely.", "The material of {n} is {v}.", "{n} is crafted from {v}."),
    ),
    "brand": (
        lambda item: item.brand,
        ("{n} is by {v}.", "{n} is made by {v}.", "{n}, from {v}, is nice.", "The maker of {n} is {v}."),
    ),
    "rating": (
        lambda item: f"{item.rating}" if item.rating else None,
        ("{n} is rated {v}.", "{n} has {v} stars.", "{n} is rated {v} out of 5.", "{n} ({v}/5) is nice."),
    ),
    "reviews": (
        lambda item: f"{item.rating_count}" if item.rating_count else None,
        ("{n} has {v} reviews.", "{n} was rated by {v} customers."),
    ),
    "kind": (lambda item: KINDS.get(item.categories[-1]), ("{n} is a {v}.", "{n} is a lovely {v}.")),
    "director": (
        lambda item: next(iter(item.attributes.get("director", ())), None),
        ("{n} was directed by {v}.", "{n} is a film by {v}.", "The director of {n} is {v}.", "Director: {v} ({n})."),
    ),
    "actor": (
        lambda item: item.attributes["actors"][-1] if "actors" in item.attributes else None,
        ("{n} stars {v}.", "{n} with {v} is nice.", "In {n} you see {v}.", "Starring {v}: {n}.", "{n} ({v}) is nice."),
    ),
    "year": (
        lambda item: found[1] if (found := re.search(r"\((\d{4})\)$", item.title or "")) else None,
        ("{n} is from {v}.", "{n} came out in {v}.", "The year of {n} is {v}.", "{n}, {v}"),
    ),
    "language": (lambda item: next(iter(item.attributes.get("language", ())), None), ("{n} is in {v}.",)),
}  # fmt: skip
"""What is claimed, where its truth stands, and how it may be said."""

NAMES = ("{handle}", "<{handle}>", "item {handle}", "{id}", "`{id}`", "{title}", "“{title}”", "{title} ({handle})")

DISGUISES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: "\u200b".join(text),
    lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    lambda text: f"\u202e\u2066{text}\u2069",
    lambda text: "\u00ad".join(text),
    lambda text: "".join(f"{c}\u0336" if c.isalpha() else c for c in text),
    lambda text: f"**{text}**" if text.islower() else text,
    lambda text: text[:1] + f"**{text[1:2]}**" + text[2:] if text.isalpha() else text,
    lambda text: text.translate(str.maketrans("aeocp", "аеоср")),
)
"""Ways to write a value so that a reader sees the same and a program may not."""


@cache
def shop_of(films: bool) -> tuple[Catalog, ShopWords]:
    catalog = Catalog(FILMS if films else toy_items())
    return catalog, ShopWords.of(catalog)


def through(films: bool, text: str) -> tuple[str, Gate]:
    """Say `text` where every item was given by a tool and the shopper asked for nothing in particular."""
    catalog, words = shop_of(films)
    book = HandleBook(catalog)
    for item in catalog:
        book.issue(item.item_id)
    gate = Gate(Grounds(catalog, {}, book, words))
    return "".join(p.text for p in [*gate.feed(text), *gate.finish()]).strip(), gate


def named(films: bool, item: Item, how: str) -> str:
    ids = [each.item_id for each in shop_of(films)[0]]
    return how.format(handle=f"#{ids.index(item.item_id) + 1}", id=item.item_id, title=item.title)


@st.composite
def claims(draw: st.DrawFn, *, true: bool) -> tuple[bool, str, str, Item]:
    """Draw (whether of films, the sentence, the value it states, the item it is about)."""
    films = draw(st.booleans())
    items = FILMS if films else toy_items()
    item, other = draw(st.sampled_from(items)), draw(st.sampled_from(items))
    value_of, templates = CLAIMS[draw(st.sampled_from(sorted(CLAIMS)))]
    value = value_of(item if true else other)
    truth = value_of(item)
    assume(value is not None)
    assert value is not None
    if not true:
        told = f"{item.title} {item.description} {item.attributes}".casefold()
        assume(value != truth and value.casefold() not in told)
    name = named(films, item, draw(st.sampled_from(NAMES)))
    said = value if true else draw(st.sampled_from(DISGUISES))(value)
    return films, draw(st.sampled_from(templates)).format(n=name, v=said), value, item


quick = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])


@quick
@given(claims(true=True))
def test_what_is_true_survives(claim: tuple[bool, str, str, Item]) -> None:
    films, text, value, item = claim
    out, gate = through(films, text)
    assert gate.changes == [], (text, out, gate.changes)
    assert item.title is not None and item.title in out and value.casefold() in out.casefold()


@quick
@given(claims(true=False))
def test_what_is_false_never_reaches_the_shopper(claim: tuple[bool, str, str, Item]) -> None:
    films, text, value, _ = claim
    out, gate = through(films, text)
    assert gate.changes, (text, out)
    assert value.casefold() not in out.casefold(), (text, out)


@quick
@given(st.sampled_from(toy_items()), st.sampled_from(toy_items()), st.sampled_from(range(6)))
def test_comparisons_hold_or_go(one: Item, other: Item, which: int) -> None:
    assume(one is not other and None not in (one.price, other.price, one.rating, other.rating))
    assert one.price and other.price and one.rating and other.rating
    words, holds = [
        ("is cheaper than", one.price < other.price),
        ("is more expensive than", one.price > other.price),
        ("costs less than", one.price < other.price),
        ("is rated higher than", one.rating > other.rating),
        ("has the same brand as", one.brand == other.brand),
        ("has the same material as", one.attributes["material"] == other.attributes["material"]),
    ][which]
    text = f"{named(False, one, '{handle}')} {words} {named(False, other, '{handle}')}."
    out, gate = through(False, text)
    assert (gate.changes == []) is holds, (text, out)
    assert (words in out) is holds


@pytest.mark.parametrize("films", [False, True])
def test_every_value_of_the_catalogue_is_said_of_its_own_items_only(films: bool) -> None:
    """Stocked and unstocked pairs, whole: each item with each value any item has."""
    items, wrong = shop_of(films)[0], []
    for field in ("director", "actor", "language", "year") if films else ("colour", "material", "brand"):
        value_of, templates = CLAIMS[field]
        values = sorted({value for item in items if (value := value_of(item))})
        for item in items:
            own = f"{item.title} {item.brand} {item.attributes}".casefold()
            # What only a description mentions ("looks like leather, is none") may be either.
            loose = f"{item.description}".casefold()
            for at, value in enumerate(each for each in values if each.casefold() not in loose):
                text = templates[at % len(templates)].format(n=named(films, item, "{handle}"), v=value)
                out, gate = through(films, text)
                if bool(gate.changes) is (value.casefold() in own):
                    wrong.append((text, out, gate.changes))
    assert wrong == [], "\n".join(map(str, wrong[:20]))
