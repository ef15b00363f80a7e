"""Thirty hand-made items, small enough to know by heart: the stock of `tools.doubles.toy_shop`.

What tests may rely on: five categories of six, a blue item in each, one leather bag, two mugs between
5 and 10 EUR, the dearest item is the arc lamp, some out of stock, one without a price, three scarves
that are variants of one parent.
"""

from __future__ import annotations

from catalog.nouns import Caption, Item

# item_id|parent_id|title|category|colours|material|brand|price|in stock|rating|rating_count|description
_ROWS = """
V01||Cobalt bud vase|vases|blue|glass|Glasgar|24.00|yes|4.6|31|A slim vase for one stem, mouth-blown.
V02||Terracotta amphora vase|vases|orange|ceramic|Terrano|39.00|yes|4.2|12|A round vase with two small handles.
V03||White ribbed vase|vases|white|ceramic|Terrano|29.50|yes|4.4|20|Ribbed sides catch the light.
V04||Smoke grey cylinder vase|vases|grey|glass|Glasgar|33.00|no|4.0|7|A tall straight vase for long stems.
V05||Green moon vase|vases|green|ceramic|Terrano|45.00|yes|4.8|54|A flat round vase, glazed like moss.
V06||Navy floor vase|vases|blue|ceramic|Terrano|89.00|yes|4.1|9|Stands on the floor, knee high.
L01||Brass desk lamp|lamps|gold|brass|Lumen|79.00|yes|4.5|66|A reading lamp with a jointed arm.
L02||Blue mushroom lamp|lamps|blue|glass|Lumen|59.00|yes|4.7|88|A soft glow for the bedside.
L03||Paper globe lamp|lamps|white|paper|Hako|19.00|yes|3.9|15|Light as a feather, folds flat.
L04||Black arc lamp|lamps|black|steel|Lumen|249.00|yes|4.3|18|Reaches over a whole sofa.
L05||Red lava lamp|lamps|red|glass|Lumen|34.00|no|4.0|40|Slow bubbles, warm light.
L06||Rattan table lamp|lamps|brown|rattan|Hako|49.00|yes|4.4|23|A woven shade that throws patterns.
S01|P-MERI|Merino scarf, blue|scarves|blue|wool|Norrvik|35.00|yes|4.6|71|A warm everyday scarf.
S02|P-MERI|Merino scarf, red|scarves|red|wool|Norrvik|35.00|yes|4.6|64|A warm everyday scarf.
S03|P-MERI|Merino scarf, grey|scarves|grey|wool|Norrvik|35.00|no|4.6|52|A warm everyday scarf.
S04||Silk square, floral|scarves|pink,green|silk|Setania|58.00|yes|4.9|33|Printed by hand with peonies.
S05||Cotton check scarf|scarves|black,white|cotton|Norrvik|18.00|yes|4.0|27|A light scarf for spring.
S06||Cashmere wrap|scarves|beige|cashmere|Setania|120.00|yes|4.8|45|Large enough to sleep under.
B01||Saddle leather bag|bags|brown|leather|Corrier|145.00|yes|4.7|58|Vegetable-tanned leather that darkens with use.
B02||Canvas tote|bags|white|cotton|Norrvik|22.00|yes|4.3|90|Carries the whole market.
B03||Blue city backpack|bags|blue|nylon|Tramp|69.00|yes|4.4|77|Fits a laptop and an umbrella.
B04||Velvet evening bag|bags|red|velvet|Setania|64.00|yes|4.1|11|Small, with a gold chain.
B05||Straw beach bag|bags|beige|straw|Hako|27.00|no|4.2|19|Wide and light.
B06||Vegan cross-body bag|bags|black|polyester|Tramp|49.00|yes|4.0|30|Looks like leather, is none.
M01||Blue speckled mug|mugs|blue|ceramic|Terrano|9.50|yes|4.5|82|Thrown by hand, no two alike.
M02||Plain white mug|mugs|white|ceramic|Terrano|6.50|yes|4.1|95|The mug for every day.
M03||Enamel camping mug|mugs|green|steel|Tramp|12.00|yes|4.4|61|Does not mind the fire.
M04||Double-wall glass mug|mugs|transparent|glass|Glasgar|14.00|yes|4.2|37|Keeps coffee hot and fingers cool.
M05||Cat face mug|mugs|black|ceramic|Hako|11.00|no|4.6|49|Ears on the rim.
M06||Archive tea bowl|mugs|grey|ceramic|Terrano||yes|||One of a kind, price on request.
"""

_SHAPES = {"vases": "a rounded upright shape", "lamps": "a tall shape with a light top", "scarves": "a soft wide shape",
           "bags": "a boxy shape with a strap", "mugs": "a small round shape with a handle"}  # fmt: skip


def toy_items() -> tuple[Item, ...]:
    """Return the thirty items."""
    return tuple(_item(line) for line in _ROWS.strip().splitlines())


def toy_captions(items: tuple[Item, ...]) -> dict[str, tuple[Caption, ...]]:
    """Return one caption an item, as if read from its picture."""
    return {item.item_id: (_caption(item),) for item in items}


def _item(line: str) -> Item:
    (item_id, parent, title, category, colours, material, brand, price, stock, rating, count, text) = (
        cell.strip() for cell in line.split("|")
    )
    return Item(
        item_id=item_id,
        parent_id=parent or None,
        title=title,
        description=text,
        price=float(price) if price else None,
        currency="EUR" if price else None,
        brand=brand,
        categories=("home" if category in {"vases", "lamps", "mugs"} else "accessories", category),
        attributes={"colour": tuple(colours.split(",")), "material": (material,)},
        images=(f"media/{item_id}.png",),
        availability=stock == "yes",
        language="en",
        rating=float(rating) if rating else None,
        rating_count=int(count) if count else None,
    )


def _caption(item: Item) -> Caption:
    colours = " and ".join(item.attributes["colour"])
    text = f"A {colours} object, {_SHAPES[item.categories[1]]}, on a plain background."
    return Caption(item.item_id, item.images[0], text, "toy", "toy-prompt", f"toy-{item.item_id}")
