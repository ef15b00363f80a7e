"""What a mind may try on the gate besides plain lies, and what it must not lose of honest answers."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gate.figures import all_in_digits, in_digits
from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.plain import mixed_words, plain
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_captions, toy_items

ITEMS = toy_items()
SHOP = Catalog(ITEMS)
WORDS = ShopWords.of(SHOP)
ISSUED = ("V01", "V02", "B01", "B05", "M01", "M06")
"""#1 Cobalt bud vase (blue glass, Glasgar, 24.00, 4.6/31), #2 Terracotta amphora vase (orange ceramic, 39.00, 4.2/12),
#3 Saddle leather bag (145.00), #4 Straw beach bag (sold out), #5 Blue speckled mug (9.50), #6 Archive tea bowl."""


def passed(text: str, *, said: str = "a vase", lists: tuple[tuple[str, ...], ...] = (), missed: bool = False) -> str:
    """Return what the shopper reads of a sentence."""
    book = HandleBook(SHOP)
    for item_id in ISSUED:
        book.issue(item_id)
    grounds = Grounds(SHOP, toy_captions(ITEMS), book, WORDS)
    grounds.heard(said)
    for ids in lists:
        grounds.told("", {"total": len(ids)}, len(ids), ids)
    if missed:
        grounds.told("", {"total": 0}, 0)
    gate = Gate(grounds)
    return "".join(each.text for each in [*gate.feed(text), *gate.finish()]).strip()


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("text", lines("""
    I'd recommend #1 if you want something slim, or #2 if you prefer a round shape.
    I'd go for #1, it is the cheaper of the two.
    #1 is cheaper than #2.
    #2 is more expensive than #1.
    #1 is rated higher than #2 (4.6 vs 4.2).
    Together #1 and #2 cost €63.00.
    The price difference between #1 and #2 is €15.00.
    #1 is our cheapest vase.
    #5 is the cheapest of the three, #2 costs €39.00.
    #1 is similar to #2, both are vases.
    #1 is the same kind as #2.
    #1, like #2, is a vase.
    The material of #1 is glass.
    #3 is made from vegetable-tanned leather that darkens with use.
    #1 isn't made of ceramic.
    #1 is not a lamp.
    #2 is round with two small handles.
    #4 is not available at the moment.
    Unfortunately #4 isn't in stock.
    #6 has not been rated yet.
    We have blue glass vases.
    We also have scarves, bags and mugs.
    We have a wide selection of lamps.
    I have a question: which colour do you prefer?
    We don't carry laptops.
    No problem, let me look again.
    We don't offer discounts.
    I don't know about shipping.
    The record does not say whether #1 is dishwasher-safe.
    Feel free to ask for more.
    I suggest narrowing it down by price.
    Would you like to try another colour or material?
    #1 would make a wonderful gift.
    The main difference between them is the price.
    Die Vase #1 ist aus Glas und kostet 24 Euro.
    Nice 👩\u200d🎨, a façade in S/M/L by J.R.R. Nobody.
"""))  # fmt: skip
def test_honest_answers_stay_whole(text: str) -> None:
    titles = {f"#{n}": SHOP[item_id].title or "" for n, item_id in enumerate(ISSUED, 1)}
    shown = re.sub(r"#\d", lambda match: titles[match.group()], text)
    assert passed(text) == shown or "Nobody" in text


@pytest.mark.parametrize("text", lines("""
    #1 is more expensive than #2.
    #2 is rated higher than #1.
    #2 costs less than #1.
    #1 is twice as expensive as #2.
    #1 costs half of what #2 costs.
    #1 costs €24.00, like #2.
    #1 has more reviews than #5.
    #2 is our cheapest vase.
    #3 is the best rated of all we carry.
    #1 is similar to #3.
    #1 is identical to #2.
    #1 has the same material as #2.
    #1 is made of kryptonite.
    #1 is carved from jade.
    #1 is made of **jade**.
    The material of #1 is jade.
    Material: jade (#1).
    #1 is by terrano.
    #1 is made by zephyrix.
    #1 is from the house of zephyrix.
    #1 is made in italy.
    #1 is part of the aurora collection.
    #1 is a lamp.
    #1 is a **lamp**.
    #1 is anything but blue.
    #1 is not only red but also blue.
    #1 is reddish.
    #1 ist rot.
    #1 est rouge.
    #1 is r*ed.
    #1 is r-e-d.
    #1 is réd.
    #1 is r\u0336e\u0336d\u0336.
    #1 is ʀᴇᴅ.
    #4 is not sold out.
    #4 is no longer unavailable.
    #4 can be ordered now.
    #4 is in-stock.
    #1 isn't available.
    Only two left of #1.
    #1 is nearly sold out.
    #1 is free.
    #1 is free today.
    #1 is a third off.
    #1 is in the sale.
    Buy one get one free: #1.
    #1 is 50% of…
    #1 is 50%.
    #1 is fireproof.
    #1 is eco-friendly.
    #1 has won awards.
    #1 has hundreds of reviews.
    #1 has no reviews.
    #1 is unrated.
    #1 holds two litres.
    #1 is orange and so is #2.
    #1 is blue and #2 too.
    Nothing is cheaper than #2.
    #1 comes with a lamp.
    #1 can go in the dishwasher.
    #1 arrives tomorrow.
    #1 costs 2O euros.
    I have put #1 in your cart.
    I've ordered #1 for you.
    #1 is reserved for you.
"""))  # fmt: skip
def test_what_the_records_do_not_bear_out_goes(text: str) -> None:
    out = passed(text)
    for item in ITEMS:
        out = out.replace(item.title or "", "")
    assert not re.search(r"[^\W\d_]", out), out  # titles and their prices, no word more


@pytest.mark.parametrize("text", lines("""
    We have laptops.
    We also sell laptops and sofas.
    We carry Zephyrix.
    we carry zephyrix lamps.
    We have red silk vases.
    Try the tractor instead.
    Have a look at the aurora deluxe for 24 EUR.
    I recommend aurora deluxe.
    I recommend "Zephyrix….
    **Zephyrix…
    Zephyrix Aurora" for 13 EUR.
    I recommend b0fake9999.
    Item ninety-nine is great.
    There are no blue vases.
    Sorry, vases are not something we carry.
    No vases here.
    We're out of vases.
    We stopped selling vases.
    I couldn't find any vases.
    Nothing blue exists in this shop.
    Your order is confirmed.
"""))  # fmt: skip
def test_what_is_not_carried_is_not_offered_and_what_is_carried_not_denied(text: str) -> None:
    # That the shopper said the word makes no offer of it true.
    assert passed(text, said="laptops, sofas or red silk vases?") == ""


def test_a_search_that_found_nothing_may_say_so() -> None:
    assert passed("I found no blue vases.", missed=True) == "I found no blue vases."
    assert passed("I found no blue vases.", lists=(("V01",),)) == ""
    assert passed("We stopped selling vases.", missed=True) == ""


def test_an_extreme_is_held_against_the_list_it_came_from() -> None:
    both = (("V01", "V02"),)
    assert passed("#1 is the cheapest.", lists=both) == "Cobalt bud vase is the cheapest."
    assert passed("#2 is the cheapest.", lists=both) == "Terracotta amphora vase, €39.00."
    assert passed("#2 is the cheapest.", lists=(*both, ("V02", "B01"))).endswith("is the cheapest.")


@pytest.mark.parametrize(
    ("money", "shown"),
    [("24 dollars", "€24.00"), ("24 yen", "€24.00"), ("CHF 24", "€24.00"), ("24 kr", "€24.00"), ("US$24", "€24.00"),
     ("24 quid", "€24.00"), ("twenty euros", "€24.00"), ("twenty-four euros", "24 euros"), ("24 EUR", "24 EUR")],
)  # fmt: skip
def test_the_right_figure_in_other_money_is_wrong(money: str, shown: str) -> None:
    assert passed(f"#1 costs {money}.") == f"Cobalt bud vase costs {shown}."


@pytest.mark.parametrize("rest", ["Colour: orange.", "- Material: ceramic", "**Brand:** Terrano", "Made of ceramic.",
                                  "Rated 4.2.", "Price: €39.00", "Its colour is orange.", "By Terrano."])  # fmt: skip
def test_what_follows_an_item_is_about_it(rest: str) -> None:
    assert passed(f"I like #1 a lot.\n{rest}") == "I like Cobalt bud vase a lot."
    assert passed(f"I like #2 a lot.\n{rest}") == f"I like Terracotta amphora vase a lot.\n{rest}"


def test_what_a_tool_wrote_down_may_be_said() -> None:
    grounds = Grounds(SHOP, {}, HandleBook(SHOP), WORDS)
    said = "I have put it in your cart."
    for recorded, shown in (({}, ""), ({"recorded": "cart"}, said)):
        grounds.told("", recorded)
        gate = Gate(grounds)
        assert "".join(each.text for each in [*gate.feed(said), *gate.finish()]) == shown


def test_figures_in_words_are_figures() -> None:
    assert in_digits("ninety-nine euros and fifty cents, two hundred and five reviews") == "99.50 euros, 205 reviews"
    assert in_digits("rated three point seven five, costs one thousand two hundred") == "rated 3.75, costs 1200"
    assert in_digits("one of two, ★★★☆☆") == "one of two, 3★"
    assert all_in_digits("two small handles") == "2 small handles"


def test_letters_that_pass_for_ours_are_seen() -> None:
    assert [each.group() for each in mixed_words("а сор of plаtinum")] == ["сор", "plаtinum"]
    assert mixed_words("Какая ваза! Τι όμορφο, Vase") == []
    assert plain("p-l-a-t-i-n-u-m, r e d, f.r.e.e, pl**ati**num") == "platinum, red, free, platinum"


@pytest.fixture(scope="module")
def films() -> Iterator[tuple[Catalog, ShopWords]]:
    folder = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not (folder / "movies" / "items.jsonl").is_file():
        pytest.skip(f"no movies data in {str(folder)!r} (set TEST_DATA)")
    rows = map(json.loads, (folder / "movies" / "items.jsonl").read_text(encoding="utf-8").splitlines())
    catalog = Catalog([_film(row) for row in rows])
    yield catalog, ShopWords.of(catalog)


def _film(row: dict[str, object]) -> Item:
    people = {name: tuple(filter(None, str(row[name] or "").split(", "))) for name in ("director", "actors")}
    genres = row["genres"]
    assert isinstance(genres, list)
    return Item(str(row["item_id"]), title=str(row["title"]), categories=tuple(genres), attributes=people,
                description=str(row["description"] or ""))  # fmt: skip


@pytest.mark.realdata
def test_no_film_gets_another_films_people_or_year(films: tuple[Catalog, ShopWords]) -> None:
    catalog, words = films
    rng, wrong = random.Random(7), []
    known = [film for film in catalog if all(film.attributes.values()) and re.search(r"\(\d{4}\)$", film.title or "")]
    for _ in range(150):
        one, other = rng.sample(known, 2)
        for field, text in (
            ("director", "#1 was directed by {v}."), ("director", "#1 is a film by {v}."), ("actors", "#1 stars {v}."),
            ("actors", "In #1 you see {v}."), ("year", "#1 is from {v}."), ("year", "#1 came out in {v}."),
        ):  # fmt: skip
            mine, theirs = (
                ((film.title or "")[-5:-1],) if field == "year" else film.attributes[field] for film in (one, other)
            )
            own = f"{one.title} {one.description} {one.attributes}"
            # One name alone may be any word; whole names are checked wherever they stand.
            false = [each for each in theirs if each not in own and (field == "year" or " " in each)]
            for value, true in [(rng.choice(mine), True), *((value, False) for value in false[:1])]:
                book = HandleBook(catalog)
                book.issue(one.item_id)
                book.issue(other.item_id)
                gate = Gate(Grounds(catalog, {}, book, words))
                out = "".join(each.text for each in [*gate.feed(text.format(v=value)), *gate.finish()])
                if (gate.changes == []) is not true:
                    wrong.append((one.title, text, value, true, out, gate.changes))
    assert wrong == [], "\n".join(map(str, wrong[:20]))


@pytest.mark.parametrize(
    "claim", ["costs 1e2 EUR", "costs 2.4e+1 euros", "costs €24e0", "is ½ price", "comes at ¼ off"]
)
def test_a_price_in_powers_or_fractions_is_not_said(claim: str) -> None:
    assert passed(f"#1 is slim. #1 {claim}.") == passed("#1 is slim.")
