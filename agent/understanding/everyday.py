"""Everyday English for kinds of things: "funny" for a comedy, "jumper" for a sweater, "for my husband" for menswear.

A table holds general English alone. What a word comes to mean is always a value that the catalogue has; where it has
none of the words on the right, the word stays a word.
"""

from __future__ import annotations

import re
from functools import cache

from agent.understanding.terms import Phrase, Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import keys

_MEANT = """
funny, hilarious, humorous, amusing, feel good, make me laugh, make us laugh, comic, comedic: comedy
scary, frightening, creepy, spooky, terrifying, chilling, scare me: horror
cartoon, animated: animation, cartoon
science fiction, sci fi, scifi, sf: sci-fi, science fiction
love story, romantic: romance
romcom, rom com: romantic comedy, romance
sad, tearjerker, tear jerker, heartbreaking, make me cry: drama
suspenseful, suspense, gripping: thriller, suspense
whodunit, whodunnit: mystery, crime
noir: film-noir
cowboy: western
docu, doc: documentary
jumper, pullover, sweater: sweater, jumper, pullover, knitwear
trouser, pant, slack, chino: trouser, pants
jean, denim: jeans, denim
trainer, sneaker, running shoe, tennis shoe: sneakers, trainers
tee, tee shirt, t shirt, tshirt: t-shirt
swimsuit, swimming costume, bathing suit, swimming suit: swimsuit, swimwear
bikini, swimwear, beachwear: swimwear, bikini
handbag, purse: bag, handbag
legging, tight: leggings, tights
pyjama, pj, nightwear, nightgown, nightie: pyjama, nightwear
knicker, panty: underwear bottom, knickers, underwear
lingerie: lingerie, underwear
sunnies, sun glasses: sunglasses
raincoat, parka, anorak: jacket, coat, outerwear
gown, frock: dress
onesie: bodysuit
stiletto, high heel: heeled sandals, heels, pumps
perfume, cologne, scent, fragrance, eau de toilette, eau de parfum: perfume, fragrance
cosmetic, make up: makeup, cosmetics
sunscreen, sunblock, sun cream, sun lotion, sun protection: sunscreen, sun, sun care
nail varnish, nail lacquer: nail polish
moisturizer, moisturiser: moisturizer, moisturiser
lippy: lipstick
blusher: blush
kid, kiddie, toddler: children, kids
man, men, mens: menswear, men's
woman, women, womens, lady: ladieswear, womenswear, women's
hairdryer, blow dryer: hair dryer
"""
"""What is said: what a catalogue may call it, the best first."""

_PEOPLE = """
kid, kiddie, toddler, child, little one, grandchild, grandkid: children, kids
son, boy, grandson, nephew: boys, children, kids
daughter, girl, granddaughter, niece: girls, children, kids
baby, newborn, infant: baby, babies
husband, boyfriend, father, dad, daddy, grandfather, grandpa, grandad, uncle, brother, man, guy, gentleman, him: \
menswear, men, men's
wife, girlfriend, mother, mum, mom, mummy, mommy, grandmother, grandma, granny, nana, aunt, auntie, sister, woman, \
lady, her: ladieswear, womenswear, women, women's
"""
"""Whom something is for: what a catalogue may call the part of it made for them."""

_OCCASIONS = """
date night: romance
valentine: romance
"""

_REFUSED = """
violence, violent, fighting, gunfire: action, war, horror, crime, thriller
gore, gory, bloody, blood: horror, war, action
kissing: romance
singing: musical
"""
"""What is not wanted: every kind of thing that has it."""

_MOODS = """
sad, tearjerker, tear jerker, heartbreaking, make me cry, moving, touching: \
comedy, action, adventure, horror, sci-fi, fantasy, thriller, crime, war, children
feel good, heartwarming, heart warming, uplifting, light hearted, lighthearted: horror, war, crime, thriller, film-noir
relaxing, cosy, cozy: horror, war, action, crime, thriller
"""
"""What one wants to feel: every kind of thing that would spoil it."""

_WARM = re.compile(
    r"(?:\b(?:some|any)thing (?:(?:nice|really|very|so|soft|cosy|cozy|and|to keep me|that is|that keeps me) )*"
    r"warm(?:er)?\b(?! (?:light|white|colou?r|tone))"
    r"|\b(?:warm|winter) (?:clothes|clothing|things?|stuff|wear|wardrobe)\b"
    r"|\b(?:some|any)thing (?:\w+ )?for (?:the |this )?(?:winter|cold)\b"
    r"|\b(?:keep|keeps|keeping) (?:(?:me|us|you|him|her|them)|(?:my|his|her|your) "
    r"(?:neck|head|ears)) warm\b"
    r"|\bi(?: am|'m) (?:so |very |always )*(?:cold|freezing)\b)"
    r"(?: (?:for|in|during) (?:the |this )?(?:winter|cold)(?: (?:days?|weather|months))?\b)?"
)
_WARMING = (
    "sweater, cardigan, hoodie, knitwear, scarf, coat, jacket, blanket, throw, glove, mitten, beanie, sock, slipper"
)
"""What warms whoever wears it."""

_FAMILY = re.compile(r"\b(?:whole|entire|all the) family\b|\bfamily[ -](?:friendly|film|movie|show|viewing|fun)s?\b")

_NATIONS = """
french france, italian italy, german germany, spanish spain, japanese japan, chinese china, korean south korea,
swedish sweden, danish denmark, norwegian norway, finnish finland, dutch netherlands, polish poland, russian russia,
british uk, english uk, irish ireland, scottish uk, indian india, australian australia, american usa, canadian canada,
mexican mexico, brazilian brazil, greek greece, turkish turkey, iranian iran, belgian belgium, austrian austria,
swiss switzerland, portuguese portugal, hungarian hungary, czech czech republic, thai thailand, israeli israel
"""


@cache
def _table(text: str) -> dict[Phrase, tuple[Phrase, ...]]:
    found: dict[Phrase, tuple[Phrase, ...]] = {}
    for line in text.strip().splitlines():
        said, called = line.split(":")
        values = tuple(keys(value) for value in called.split(","))
        found.update((keys(entry), values) for entry in said.split(","))
    return found


def meant(phrase: Phrase, vocabulary: Vocabulary) -> Term | None:
    """Return what a phrase of singular words means in everyday English, as far as the catalogue has it."""
    return _first(_table(_MEANT).get(phrase, ()), vocabulary)


def made_for(who: str, vocabulary: Vocabulary) -> tuple[Term, ...]:
    """Return the parts of the catalogue made for a recipient, the closest first.

    Girls and boys may be told apart by an attribute alone ("Kids Girl", "Young Girl"); beside it stands what is made
    for children at large.
    """
    called = _table(_PEOPLE).get(keys(who), ())
    child = vocabulary.term(called[0]) if called and called[0] in (("girl",), ("boy",)) else None
    found = (child if child is not None and child.kind == "attribute" else None, _first(called, vocabulary))
    return tuple(term for term in found if term is not None)


def whom(phrase: Phrase) -> bool:
    """Whether a phrase of singular words names people, and so a part of a shop that is made for them."""
    return phrase in _table(_PEOPLE)


def occasion(name: str, vocabulary: Vocabulary) -> Term | None:
    """Return the kind of thing an occasion asks for by itself, None where the catalogue has none."""
    return _first(_table(_OCCASIONS).get(keys(name), ()) or _table(_OCCASIONS).get(keys(name)[:1], ()), vocabulary)


def spoiling(phrase: Phrase, vocabulary: Vocabulary) -> Term | None:
    """Return every kind of thing that would spoil a mood, None where a phrase of singular words is none."""
    called = _table(_MOODS).get(phrase, ())
    values = [value for each in called if (term := _first((each,), vocabulary)) for value in term.values]
    return Term("category", "", tuple(dict.fromkeys(values))) if values else None


def moods() -> tuple[str, ...]:
    """Return the words for moods, singular, the longest first."""
    return tuple(sorted((" ".join(phrase) for phrase in _table(_MOODS)), key=len, reverse=True))


def refused(word: str, vocabulary: Vocabulary) -> Term | None:
    """Return every kind of thing that a word no shopper wants stands for: "violence" is in war films too."""
    called = _table(_REFUSED).get(keys(word), ())
    values = [value for each in called if (term := _first((each,), vocabulary)) for value in term.values]
    return Term("category", "", tuple(dict.fromkeys(values))) if values else None


def warming(text: str, vocabulary: Vocabulary) -> tuple[re.Match[str], Term] | None:
    """Return where a text asks for something warm to wear, and every kind of thing that is, where there is any."""
    said = _WARM.search(text)
    found = [_first((keys(name),), vocabulary) for name in _WARMING.split(",")] if said else []
    values = dict.fromkeys(value for term in found if term is not None for value in term.values)
    return (said, Term("category", "", tuple(values))) if said is not None and values else None


def family(text: str) -> re.Match[str] | None:
    """Return where a text says that the whole family is to like it."""
    return _FAMILY.search(text)


def nation(word: str, vocabulary: Vocabulary) -> Term | None:
    """Return the country an adjective speaks of, where a facet holds countries."""
    pairs = dict(entry.split(maxsplit=1) for entry in _NATIONS.split(",") if entry.strip())
    country = pairs.get(word)
    found = vocabulary.exact(keys(country)) if country else None
    return found if found is not None and found.kind == "attribute" else None


def _first(called: tuple[Phrase, ...], vocabulary: Vocabulary) -> Term | None:
    for phrase in called:
        term = vocabulary.exact(phrase) or vocabulary.term(phrase)
        if term is not None and term.kind == "category":
            return term
    return None
