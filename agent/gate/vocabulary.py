"""Words of the gate: how text is compared, what counts as a colour, and which names the catalogue knows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from catalog.items import Catalog
from catalog.nouns import Item


def word_set(words: str) -> frozenset[str]:
    """Return the blank-parted words as a set."""
    return frozenset(words.split())


_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SPELLINGS = {"gray": "grey", "colour": "color", "golden": "gold", "woolen": "wool", "woollen": "wool",
              "wooden": "wood", "silken": "silk", "reddish": "red", "bluish": "blue",
              "greenish": "green", "yellowish": "yellow", "brownish": "brown", "greyish": "grey", "grayish": "grey",
              "whitish": "white", "blackish": "black", "pinkish": "pink", "purplish": "purple"}  # fmt: skip

_IRREGULAR = {"scarves": "scarf", "shelves": "shelf", "knives": "knife", "leaves": "leaf", "loaves": "loaf",
              "wolves": "wolf", "women": "woman", "men": "man", "children": "child", "feet": "foot"}  # fmt: skip
_IN_IE = word_set(
    "movies cookies series species zombies brownies hoodies selfies rookies hippies smoothies calories beanies "
    "booties panties undies veggies genies collies pixies goalies prairies aunties barbies"
)

COLORS = word_set(
    "red orange yellow green blue navy teal turquoise cyan purple violet lilac lavender magenta pink brown beige "
    "tan cream ivory white black grey silver gold maroon burgundy olive khaki crimson scarlet indigo charcoal "
    "coral mint mustard rose peach bronze copper multicolored"
)
MATERIALS = word_set(
    "leather suede cotton linen wool cashmere silk polyester nylon velvet denim canvas rattan bamboo wood oak "
    "pine walnut teak mahogany ebony birch beech cedar ceramic porcelain stoneware glass crystal steel "
    "aluminum brass copper iron plastic rubber "
    "straw marble granite concrete paper cork jute felt satin lace fleece acrylic viscose merino titanium "
    "platinum resin terracotta jade onyx pewter alabaster soapstone mohair alpaca angora tweed corduroy "
    "chiffon tulle "
    "spandex elastane polycarbonate acetate latex neoprene raffia seagrass wicker sisal"
)
PATTERNS = word_set("striped dotted checked checkered plaid floral paisley tartan gingham camouflage")
CLOSED = {
    **dict.fromkeys(COLORS, "color"),
    **dict.fromkeys(MATERIALS, "material"),
    **dict.fromkeys(PATTERNS, "pattern"),
}

_FOREIGN = """
red: rot rote roter rotes roten rouge rouges rojo roja rosso rossa rood
blue: blau blaue blauer blaues bleu bleue azul azules blu blauw
green: grün grüne grünes vert verte verde verdes groen
yellow: gelb gelbe gelbes jaune amarillo amarilla giallo gialla geel
black: schwarz schwarze schwarzes noir noire negro negra nero nera zwart
white: weiß weiss weiße weißes blanc blanche blanco blanca bianco bianca wit
grey: grau graue graues gris grise grigio grigia grijs
brown: braun braune braunes brun brune marron marrón marrone bruin
silver: silbern argenté plateado argento
glass: glas verre vidrio vetro
wood: holz bois madera legno hout
leather: leder cuir cuero pelle leer
ceramic: keramik céramique cerámica ceramica keramiek
wool: wolle laine lana
silk: seide soie seda seta zijde
cotton: baumwolle coton algodón cotone katoen
steel: stahl acier acero acciaio staal
porcelain: porzellan porcelaine porcelana porcellana porselein
platinum: platin platine platino
"""
FOREIGN = {
    word: line.split(":")[0] for line in _FOREIGN.strip().splitlines() for word in line.partition(": ")[2].split()
}
"""The commonest colours and materials as German, French, Spanish, Italian and Dutch answers word them."""

FOREIGN_GRAMMAR = word_set(
    "ist sind und aus der die das ein eine est sont et en une dans avec es son el los las una con di della il lo un "
    "sono het een van zijn le la les du des fait hecho hecha fatto fatta fatta"
)

_KINDS = {
    "color": "color", "colors": "color", "main color": "color", "base color": "color", "perceived color": "color",
    "material": "material", "materials": "material", "fabric": "material", "fabric type": "material",
    "pattern": "pattern", "graphical appearance": "pattern", "finish": "finish", "shape": "shape", "genre": "genre",
    "genres": "genre", "silhouette": "shape", "style": "style",
}  # fmt: skip
_SOFT_LABELS = word_set("style mood look feel fit occasion season id")
_TOO_PLAIN = word_set(
    "yes no none other new one any all good long short small large big light dark open round plain classic modern "
    "casual simple solid natural free mixed multi"
)


def tokens(text: str) -> list[str]:
    """Return the words of `text` for comparison: folded, one spelling, singular.

    Example:
        >>> tokens("Two Gray vases, hand-made")
        ['two', 'grey', 'vase', 'hand', 'made']
    """
    return list(_short_tokens(text)) if len(text) <= _SHORT else [token for token, _, _ in spans(text)]


_SHORT = 48
"""Characters up to which a text is likely to come again: names, values, categories, not descriptions."""


@lru_cache(maxsize=20_000)
def _short_tokens(text: str) -> tuple[str, ...]:
    return tuple(token for token, _, _ in spans(text))


@lru_cache(maxsize=4_096)
def _named_kind(attribute: str) -> str | None:
    return _KINDS.get(" ".join(tokens(attribute.replace("_", " "))))


def phrase(text: str) -> str:
    """Return `text` as blank-parted tokens between blanks, so that `in` finds whole words only."""
    return f" {' '.join(tokens(text))} "


def _singular(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("’s")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 5 and word.endswith("ies") and word not in _IN_IE:
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def kind_of(attribute: str) -> str | None:
    """Return which kind of claim an attribute's values make, e.g. `color` for "Colour"; None when unchecked."""
    return _named_kind(attribute)


@dataclass(frozen=True)
class ShopWords:
    """Names the whole catalogue knows, by their tokens; built once for a catalogue.

    Attributes:
        titles: Tokens of a title (two words or more) -> ids of the items of that title.
        brands: Tokens of a brand -> the brand as written.
        values: One-word attribute value -> its kind (`color`, `material`, `pattern`...).
        longest: Words of the longest title.
        kinds: Categories, each as `phrase` writes it.
        codes: Item ids of letters and digits, in small letters -> as they are; ids that fold together are left out.
        labels: Names of attributes, their last word each.
        names: For each item the words of title, brand, categories, attribute values and sizes, as `phrase` writes them.
    """

    titles: Mapping[str, tuple[str, ...]]
    brands: Mapping[str, str]
    values: Mapping[str, str]
    longest: int
    kinds: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()

    @classmethod
    def of(cls, catalog: Catalog) -> ShopWords:
        """Read the names of a catalogue."""
        titles: dict[str, tuple[str, ...]] = {}
        brands: dict[str, str] = {}
        values: dict[str, str] = dict(CLOSED)
        for item in catalog:
            name = tokens(item.title or "")
            if len(name) > 1:
                key = " ".join(name)
                titles[key] = (*titles.get(key, ()), item.item_id)
            if item.brand:
                brands.setdefault(" ".join(tokens(item.brand)), item.brand)
            for attribute, given in item.attributes.items():
                kind = kind_of(attribute)
                if kind is None:
                    continue
                for value in given:
                    words = tokens(value)
                    if len(words) == 1 and len(words[0]) > 2 and words[0] not in _TOO_PLAIN and words[0].isalpha():
                        values.setdefault(words[0], kind)
        brands.pop("", None)
        attributes = {name for item in catalog for name in item.attributes}
        kinds = frozenset(phrase(category) for item in catalog for category in item.categories) - {"  "}
        longest = max((t.count(" ") + 1 for t in titles), default=1)
        labels = frozenset(tokens(name.replace("_", " "))[-1] for name in attributes if tokens(name.replace("_", " ")))
        names = tuple(_names(item) for item in catalog)
        return cls(titles, brands, values, longest, kinds, names, _codes(catalog), labels - _TOO_PLAIN - _SOFT_LABELS)

    @cached_property
    def everything(self) -> str:
        """The words of all `names`, as `phrase` writes them."""
        return " ".join(sorted({f" {word} " for names in self.names for word in names.split()}))


def _codes(catalog: Catalog) -> dict[str, str]:
    folded: dict[str, list[str]] = {}
    for item in catalog:
        if re.search(r"\d", item.item_id) and re.search(r"[^\W\d_]", item.item_id):
            folded.setdefault(item.item_id.casefold(), []).append(item.item_id)
    return {key: ids[0] for key, ids in folded.items() if len(ids) == 1}


def _names(item: Item) -> str:
    values = (value for given in item.attributes.values() for value in given)
    return " ".join(phrase(each) for each in (item.title, item.brand, *item.categories, *values, *item.sizes) if each)


def spans(text: str) -> list[tuple[str, int, int]]:
    """Return each token of `text` with its start and end."""
    return [(_folded(m.group()), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def _folded(word: str) -> str:
    return _folded_short(word) if len(word) <= _SHORT else _folded_any(word)


@lru_cache(maxsize=20_000)
def _folded_short(word: str) -> str:
    return _folded_any(word)


def _folded_any(word: str) -> str:
    word = word.casefold()
    if not word.isascii() and "LATIN" in unicodedata.name(word[0], ""):
        word = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return _singular(_SPELLINGS.get(word, word))
