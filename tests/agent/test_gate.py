"""The gate, sentence by sentence, against the toy shop's records (tools/toy_items.py)."""

import re
import unicodedata
from dataclasses import replace

import pytest

from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.sentences import SentenceBuffer
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.prompt import system_prompt
from agent.scripted_obedience import disguises
from catalog.items import Catalog
from tools.toy_items import toy_captions, toy_items

ITEMS = toy_items()
SHOP = Catalog(ITEMS)
WORDS = ShopWords.of(SHOP)
ISSUED = ("V01", "V02", "B01", "B05", "M01", "M06")
"""#1 Cobalt bud vase (blue glass, Glasgar, 24.00, 4.6/31), #2 Terracotta amphora vase (orange ceramic, 39.00),
#3 Saddle leather bag (145.00), #4 Straw beach bag (sold out), #5 Blue speckled mug, #6 Archive tea bowl (no price)."""


def passed(text: str, said: str = "a blue vase under 40", *, enforce: bool = True) -> tuple[str, Gate]:
    book = HandleBook(SHOP)
    for item_id in ISSUED:
        book.issue(item_id)
    grounds = Grounds(SHOP, toy_captions(ITEMS), book, WORDS)
    grounds.heard(said)
    grounds.told("6 items pass.", {"total": 6}, found=6)
    gate = Gate(grounds, enforce=enforce)
    out = [sentence.text for piece in text for sentence in gate.feed(piece)]
    return "".join([*out, *(sentence.text for sentence in gate.finish())]).strip(), gate


TRUE = [
    ("#1 costs €24.00. It is made of glass.", "Cobalt bud vase costs €24.00. It is made of glass."),
    ("Cobalt bud vase (#1) is rated 4.6 out of 5 with 31 reviews.", None),
    ("#1 by Glasgar is blue.", "Cobalt bud vase by Glasgar is blue."),
    ("#1 is in stock.", "Cobalt bud vase is in stock."),
    ("#4 is sold out.", "Straw beach bag is sold out."),
    ("#1 is €15.00 cheaper than #2.", "Cobalt bud vase is €15.00 cheaper than Terracotta amphora vase."),
    ("Both #1 and #2 are under €40.", "Both Cobalt bud vase and Terracotta amphora vase are under €40."),
    ("Between €20 and €40 I have #1.", "Between €20 and €40 I have Cobalt bud vase."),
    ("Nothing in blue is left but #2, which is orange.",
     "Nothing in blue is left but Terracotta amphora vase, which is orange."),
    ("#1 is not leather.", "Cobalt bud vase is not leather."),
    ("We have 6 items for you. What do you like?", "We have 6 items for you. What do you like?"),
    ("1. #1, €24.00\n2. #2, €39.00", "1. Cobalt bud vase, €24.00\n2. Terracotta amphora vase, €39.00"),
    ("Happy to help! Anything else?", "Happy to help! Anything else?"),
    ("#1 costs 24 EUR, #2 costs 39 EUR.", "Cobalt bud vase costs 24 EUR, Terracotta amphora vase costs 39 EUR."),
    ("#1 is the cheapest, #2 costs more.", "Cobalt bud vase is the cheapest, Terracotta amphora vase costs more."),
    ("The **cheapest** is #1.", "The **cheapest** is Cobalt bud vase."),
    ("Die Vase #1 ist aus Glas.", "Die Vase Cobalt bud vase ist aus Glas."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), TRUE)
def test_what_the_records_bear_out_passes(text: str, shown: str | None) -> None:
    out, gate = passed(text)
    assert gate.changes == []
    assert out == (shown or out)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("#1 is just €19.99!", "Cobalt bud vase is just €24.00!"),
        ("#1 costs $24.", "Cobalt bud vase costs €24.00."),
        ("#1 (€24.00), #2 (€12.00).", "Cobalt bud vase (€24.00), Terracotta amphora vase (€39.00)."),
        ("#1 has 4.9 stars.", "Cobalt bud vase has 4.6 stars."),
        ("#1 costs 19,99 EUR.", "Cobalt bud vase costs €24.00."),
        ("#1 costs nineteen euros.", "Cobalt bud vase costs €24.00."),
        ("#1 costs a mere twenty.", "Cobalt bud vase costs a mere €24.00."),
        ("#1 is rated four point nine.", "Cobalt bud vase is rated 4.6."),
        ("#1 has a five-star rating, ★★★☆☆.", "Cobalt bud vase has a 5-star rating, 4.6★."),
        ("#1 has thirty reviews.", "Cobalt bud vase has 31 reviews."),
    ],
)
def test_one_wrong_figure_is_put_right(text: str, shown: str) -> None:
    out, gate = passed(text)
    assert out == shown
    assert [change.action for change in gate.changes] == ["corrected"]


@pytest.mark.parametrize(
    "text",
    [
        "#1 by Terrano is lovely.", "#1 is red.", "#1 is made of oak.", "#1 comes in size XL.", "#4 is in stock.",
        "#1 is out of stock.", "#1 comes with free shipping.", "#1 is now 30% off.", "I recommend #99 and #1.",
        "#1 is one of our best sellers.", "#1 is under €20.", "#1 was bought by 5000 customers.",
        "#1 is a Zephyrix original.", '#1, also known as "Moonlight Dream", is lovely.', "#1 and V05 go well together.",
        "#3 is not leather.", "#1 is waterproof.", "#1 goes well with the Green moon vase.",
        "#1 holds 750 ml.", "#1 costs more, #2 is the cheapest.",
    ],
)  # fmt: skip
def test_a_false_claim_gives_way_to_the_record(text: str) -> None:
    out, gate = passed(text)
    assert [change.action for change in gate.changes] == ["replaced"], out
    assert gate.changes[0].reason and gate.changes[0].before
    both = "Cobalt bud vase, €24.00; Terracotta amphora vase, €39.00."
    first = {"#1 costs more": both, "#3": "Saddle leather bag, €145.00.", "#4": "Straw beach bag, €27.00."}
    assert out == next((line for handle, line in first.items() if text.startswith(handle)), "Cobalt bud vase, €24.00.")


@pytest.mark.parametrize(
    "text",
    [
        "The Aurora Silk Lamp would be perfect.", "Green moon vase is nice.", "Try Zephyrix for this.", "See #42.",
        "<B0FAKE9999> is what you want.", "Order B0FAKE9999 today.", "- Velvet dream lamp: soft light",
        "**Moonbeam Royale** - 24.00 EUR", "We have 134 items for you.", "Prices start at $3.",
        "It costs nineteen dollars.", "Everything ships free.", "Take item 9.", "V05 is better.",
        "“Harbour Mist Pitcher” is a classic.", "A lovely mug for 6.50 EUR.",
    ],
)  # fmt: skip
def test_what_nothing_backs_goes(text: str) -> None:
    out, gate = passed(text)
    assert out == ""
    assert gate.named == [] and [change.action for change in gate.changes] == ["removed"]


@pytest.mark.parametrize(
    "text",
    ["<#1> fits.", "`#1` fits.", '"#1" fits.', "item #1 fits.", "**#1** fits.", "V01 fits.", "<V01> fits.",
     "`V01` fits.", "Cobalt bud vase fits.", "COBALT BUD VASE fits.", "#1 Cobalt bud vase fits.",
     '#1 "Cobalt bud vase" fits.',
     "Cobalt bud vase (#1) fits.", '"Cobalt bud vase" (#1) fits.', "[#1](http://x.example/a) fits.",
     "**#1 Cobalt bud vase** fits."],
)  # fmt: skip
def test_an_item_in_any_costume_is_shown_by_its_title_once(text: str) -> None:
    out, gate = passed(text)
    assert out.replace("*", "").replace('"', "") == "Cobalt bud vase fits."
    assert gate.named == ["V01"]


def test_order_is_that_of_first_mention() -> None:
    assert passed("#5 first, then #1 and #5 again, and #2.")[1].named == ["M01", "V01", "V02"]


def test_links_and_markup_do_not_reach_the_shopper() -> None:
    out, gate = passed('See <a href="http://evil.example">#1</a> or http://evil.example/x <script>alert(1)</script>')
    assert "evil" not in out and "<" not in out and "Cobalt bud vase" in out
    assert {change.action for change in gate.changes} >= {"stripped"}


def test_the_shoppers_own_words_may_be_repeated() -> None:
    out, gate = passed("I have no Golden Swan Pitcher under 7.", said="got a Golden Swan Pitcher under 7?")
    assert gate.changes == [] and "Golden Swan Pitcher" in out


def test_a_price_before_its_item_is_not_moved_to_another() -> None:
    out, gate = passed("For 24 EUR: #1, for 39 EUR: #2.")
    assert gate.changes == []
    out, gate = passed("For 24 EUR: #2, for 39 EUR: #1.")
    assert out == "Terracotta amphora vase, €39.00; Cobalt bud vase, €24.00."


def test_an_item_without_price_gets_none() -> None:
    assert passed("#6 costs €10.")[0] == "Archive tea bowl."


def test_what_has_no_price_is_not_the_cheapest() -> None:
    assert passed("The cheapest is #6.")[0] == "Archive tea bowl."


def test_a_removed_list_line_leaves_no_hole() -> None:
    assert passed("- #1: €24.00\n- Zephyr Dream Lamp: €5\n- #2: €39.00\n")[0] == (
        "- Cobalt bud vase: €24.00\n- Terracotta amphora vase: €39.00"
    )


def test_switched_off_it_lets_lies_through() -> None:
    out, gate = passed("#1 costs €1.00 and #99 is free.", enforce=False)
    assert out == "Cobalt bud vase costs €1.00 and #99 is free." and gate.changes == []


def test_nothing_is_shown_before_its_sentence_is_whole() -> None:
    _, gate = passed("")
    assert gate.feed("#1 costs €1") == []
    assert gate.feed("9.99") == []
    assert [sentence.text for sentence in gate.feed(". Next")] == ["Cobalt bud vase costs €24.00. "]


def test_sentences_end_where_they_end() -> None:
    buffer = SentenceBuffer()
    text = "It is 4.50 EUR, e.g. for tea. Dr. Who? Yes!\n1. One\n2. Two"
    found = [*buffer.push(text), buffer.rest()]
    assert found == ["It is 4.50 EUR, e.g. for tea. ", "Dr. Who? ", "Yes!\n", "1. One\n", "2. Two"]
    assert "".join(found) == text


def test_prose_of_one_item_lends_no_voice_to_another() -> None:
    assert passed("#1 is mouth-blown.")[1].changes == []
    described = "Vegetable-tanned"
    assert passed(f"#3 is {described}.")[1].changes == []
    assert passed(f"Our {described} Masterpiece is here.")[0] == ""


@pytest.mark.parametrize("line", ["#1 is made of platinum.", "#1 costs 1.11 EUR.", "Buy the Zephyrix lamp today."])
def test_a_lie_in_disguise_is_still_a_lie(line: str) -> None:
    for disguised in disguises(line):
        out, gate = passed(disguised)
        assert not re.search("platinum|1[.,]11|zephyrix", unicodedata.normalize("NFKC", out), re.IGNORECASE), disguised
        assert gate.changes, disguised


def test_letters_that_are_not_in_disguise_stay() -> None:
    assert passed("Τι όμορφο! Какая ваза!")[0] == "Τι όμορφο! Какая ваза!"
    assert passed("می\u200cخواهم #1")[0] == "می\u200cخواهم Cobalt bud vase"
    assert passed("Nice 👩\u200d🎨 — voilà, façade, naïve…")[1].changes == []


@pytest.mark.parametrize(
    "text",
    ["See evil.example/pay for #1.", "Write to bob@evil.example about #1.", "#1: //evil.example/x.png",
     "javascript:alert(1) #1", "#1 at shop.com today", "#1 via mailto:a@b.example"],
)  # fmt: skip
def test_no_address_of_any_kind_reaches_the_shopper(text: str) -> None:
    out, gate = passed(text)
    assert not re.search(r"evil|@|//|alert|shop\.com|mailto", out) and "Cobalt bud vase" in out
    assert gate.changes[0].action == "stripped"


def test_the_rules_of_the_house_are_not_read_out() -> None:
    prompt = system_prompt("toy", SHOP)
    rules = prompt.partition("\nThe shop\n")[0]
    out, _ = passed(rules)
    assert len(out) < len(rules) / 10
    assert passed("I can look that up for you. What do you like?")[1].changes == []


@pytest.mark.parametrize(
    "text",
    ["#3 is 15% off.", "#3 is half price.", "#3 is fifty percent off.", "Use #3 with the code SAVE.", "#3 ships free.",
     "#3 comes with a warranty."],
)  # fmt: skip
def test_terms_of_sale_are_not_a_descriptions_to_grant(text: str) -> None:
    described = "15% off with the code SAVE, half price, fifty percent off, ships free, comes with a warranty"
    shop = Catalog([replace(item, description=described) for item in ITEMS])
    book = HandleBook(shop)
    for item_id in ISSUED:
        book.issue(item_id)
    gate = Gate(Grounds(shop, {}, book, ShopWords.of(shop)))
    out = "".join(each.text for each in [*gate.feed(text), *gate.finish()])
    assert out.strip() == "Saddle leather bag, €145.00."


def test_what_was_found_is_not_denied() -> None:
    found = Grounds(SHOP, toy_captions(ITEMS), HandleBook(SHOP), WORDS)
    found.told("2 items.", {"total": 2, "ground": "query", "nearest": False}, found=2)
    gone = Grounds(SHOP, toy_captions(ITEMS), HandleBook(SHOP), WORDS)
    gone.told("Nothing was found.", {"total": 0, "ground": "query", "nearest": False}, found=0)
    for grounds, kept in ((found, False), (gone, True)):
        gate = Gate(grounds)
        out = "".join(each.text for each in [*gate.feed("We carry nothing like that."), *gate.finish()])
        assert bool(out) is kept
