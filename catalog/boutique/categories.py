"""What the boutique stocks: sixteen categories with their prices, materials and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["table", "decor", "soft", "bag", "wear", "shoe", "paper"]


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of product.

    Attributes:
        name: Key of its drawing, and its level in the truth.
        path: Categories from broad to narrow.
        nouns: What titles call it.
        family: Which phrases describe it.
        price: Median in EUR.
        materials: (name in the record, finish in the picture).
        sizes: Sizes on offer.
    """

    name: str
    path: tuple[str, str]
    nouns: tuple[str, ...]
    family: Family
    price: float
    materials: tuple[tuple[str, str], ...]
    sizes: tuple[str, ...] = ()


_CLOTHES = ("XS", "S", "M", "L", "XL")

CATEGORIES: tuple[Category, ...] = (
    Category("vase", ("Home", "Vases"), ("vase", "flower vase"), "decor", 42,
             (("ceramic", "ceramic"), ("stoneware", "stoneware"), ("glass", "glass"))),
    Category("mug", ("Kitchen & Table", "Mugs"), ("mug", "coffee mug", "tea mug"), "table", 18,
             (("ceramic", "ceramic"), ("stoneware", "stoneware"), ("enamel", "enamel"))),
    Category("cushion", ("Home", "Cushions"), ("cushion", "sofa cushion"), "soft", 36,
             (("linen", "linen"), ("cotton", "cotton"), ("velvet", "velvet"), ("wool", "wool"))),
    Category("handbag", ("Bags", "Handbags"), ("handbag", "bag", "shoulder bag"), "bag", 129,
             (("leather", "leather"), ("suede", "suede"), ("canvas", "canvas"))),
    Category("sneaker", ("Fashion", "Sneakers"), ("sneakers", "trainers"), "shoe", 95,
             (("leather", "leather"), ("canvas", "canvas"), ("suede", "suede")),
             ("36", "37", "38", "39", "40", "41", "42", "43", "44", "45")),
    Category("table lamp", ("Home", "Lamps"), ("table lamp", "lamp", "bedside lamp"), "decor", 84,
             (("linen", "linen"), ("cotton", "cotton"), ("silk", "silk"))),
    Category("rug", ("Home", "Rugs"), ("rug", "carpet"), "soft", 179,
             (("wool", "pile"), ("cotton", "cotton"), ("jute", "jute")), ("small", "medium", "large")),
    Category("dress", ("Fashion", "Dresses"), ("dress",), "wear", 89,
             (("cotton", "cotton"), ("linen", "linen"), ("silk", "silk")), _CLOTHES),
    Category("teapot", ("Kitchen & Table", "Teapots"), ("teapot",), "table", 54,
             (("porcelain", "porcelain"), ("stoneware", "stoneware"), ("enamel", "enamel"))),
    Category("backpack", ("Bags", "Backpacks"), ("backpack", "daypack", "rucksack"), "bag", 98,
             (("canvas", "canvas"), ("leather", "leather"), ("recycled nylon", "nylon"))),
    Category("plant pot", ("Home", "Plant pots"), ("plant pot", "planter"), "decor", 29,
             (("stoneware", "stoneware"), ("ceramic", "ceramic"), ("concrete", "concrete"))),
    Category("scarf", ("Fashion", "Scarves"), ("scarf",), "wear", 48,
             (("wool", "wool"), ("silk", "silk"), ("cotton", "cotton"))),
    Category("armchair", ("Home", "Armchairs"), ("armchair", "reading chair", "lounge chair"), "soft", 520,
             (("linen", "linen"), ("velvet", "velvet"), ("leather", "leather"), ("wool", "wool"))),
    Category("notebook", ("Stationery", "Notebooks"), ("notebook", "journal"), "paper", 17,
             (("paper", "paper"), ("linen", "linen"), ("leather", "leather"))),
    Category("sweater", ("Fashion", "Sweaters"), ("sweater", "jumper", "pullover"), "wear", 86,
             (("wool", "knit"), ("cotton", "knit"), ("cashmere", "cashmere")), _CLOTHES),
    Category("bottle", ("Kitchen & Table", "Bottles"), ("bottle", "water bottle"), "table", 31,
             (("stainless steel", "steel"), ("glass", "glass"), ("enamel", "enamel")), ("500 ml", "750 ml")),
)  # fmt: skip
"""In the order `n_categories` takes them."""
