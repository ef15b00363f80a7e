"""What the boutique's texts are made of. No phrase names a pattern, a silhouette or a motion: those are for the eye.

A test holds every item text to that.
"""

from __future__ import annotations

from catalog.boutique.categories import Family

FORBIDDEN = (
    "plain", "stripe", "striped", "dot", "dotted", "polka", "check", "checked", "gingham", "floral", "flowery",
    "zigzag", "chevron", "terrazzo", "ombre", "gradient", "pattern", "print", "tall", "wide", "round", "angular",
    "slim", "faceted", "spin", "turntable", "swing", "bounce", "sweep", "film", "video",
)  # fmt: skip
"""Words an item's title, description and attributes never use."""

THEME_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "nordic": ("Nordic", "Scandinavian", "hygge"),
    "coastal": ("seaside", "coastal", "harbour"),
    "vintage": ("vintage", "retro", "mid-century"),
    "artisan": ("hand-crafted", "artisan", "studio-made"),
    "city": ("urban", "metropolitan", "downtown"),
    "countryside": ("farmhouse", "country", "cottage"),
    "playful": ("playful", "cheerful", "whimsical"),
    "bookish": ("literary", "scholarly", "bookish"),
}

THEME_STORIES: dict[str, tuple[str, ...]] = {
    "nordic": (
        "Designed in Copenhagen with the calm of long winters in mind.",
        "A quiet Scandinavian piece: nothing too much, nothing missing.",
        "Inspired by birch woods, first snow and the Danish love of cosiness.",
    ),
    "coastal": (
        "It carries the salt air of a fishing harbour into your day.",
        "Made for people who leave the window open to hear the sea.",
        "Our designer drew it on a ferry between two small islands.",
    ),
    "vintage": (
        "Based on a 1950s original found in a Paris flea market.",
        "It looks as if your grandmother had chosen it, and she had taste.",
        "A faithful reissue from the archive of a workshop closed since 1968.",
    ),
    "artisan": (
        "Each one is finished by hand and signed by its maker.",
        "Made in batches of forty by a family workshop, so no two are quite alike.",
        "You can feel the tool marks of the craftswoman who made it.",
    ),
    "city": (
        "Sharp and modern, at home between the tram stop and the rooftop bar.",
        "Drawn for apartments in the centre and mornings in a hurry.",
        "It borrows its attitude from concrete, neon and espresso.",
    ),
    "countryside": (
        "It brings the farmhouse kitchen and the smell of hay to mind.",
        "As honest as a walk along the hedgerows after rain.",
        "Made for muddy boots, apple trees and late Sunday breakfasts.",
    ),
    "playful": (
        "A wink of a thing that makes visitors smile.",
        "Serious quality that refuses to take itself seriously.",
        "Designed by someone who never quite stopped drawing in the margins.",
    ),
    "bookish": (
        "Named after a heroine we reread every autumn.",
        "For people who judge a home by its shelves.",
        "It belongs next to a stack of novels and a cup gone cold.",
    ),
}

OCCASION_LINES: dict[str, tuple[str, ...]] = {
    "everyday": (
        "Made for every day of the week.",
        "The one you will reach for each morning.",
        "Simply for daily life.",
    ),
    "gift": (
        "Comes in a gift box with a card.",
        "An easy present for someone hard to please.",
        "Ready to give, ribbon included.",
    ),
    "wedding": (
        "A favourite on wedding lists.",
        "For the big day and the anniversaries after it.",
        "Worthy of a wedding table.",
    ),
    "travel": (
        "A loyal companion on journeys.",
        "Feels at home in any hotel room.",
        "For weekends away and long flights.",
    ),
    "office": ("Brings some character to the office.", "Made for the desk and the meeting.", "Well behaved at work."),
    "garden party": (
        "Born for garden parties.",
        "Best in the company of lemonade and late sun.",
        "For long lunches under the trees.",
    ),
    "holidays": (
        "Part of the festive season.",
        "For the days when the whole family comes home.",
        "A holiday tradition in the making.",
    ),
    "quiet evening": (
        "For slow evenings in.",
        "Best enjoyed when the phone is off.",
        "Made for the quiet hour after dinner.",
    ),
}  # fmt: skip

FUNCTION_WORDS: dict[str, tuple[str, ...]] = {
    "easy care": ("easy-care",),
    "low impact": ("eco-friendly", "climate-kind"),
    "portable": ("featherweight", "travel-light"),
    "hard wearing": ("hard-wearing", "built-to-last"),
    "comforting": ("soothing", "extra-soft"),
    "weatherproof": ("weatherproof", "all-weather"),
    "personalised": ("personalised", "made-to-order"),
    "space saving": ("space-saving", "stow-away"),
}

FUNCTION_LINES: dict[str, dict[Family, tuple[str, ...]]] = {
    "easy care": {
        "table": ("Dishwasher safe, every single day.", "Rinse it and it is clean; stains do not hold."),
        "decor": ("Wipes clean with a damp cloth.", "Dust does not cling to it; a quick wipe is all it asks."),
        "soft": ("Vacuum it, dab it, done: nothing sinks in.", "Spills bead off and brush away."),
        "bag": ("Wipe it down and it looks new.", "The lining unclips for the washing machine."),
        "wear": ("Machine washable and needs no ironing.", "Throw it in the wash; it keeps its shape."),
        "shoe": ("Goes in the washing machine at thirty degrees.", "Mud wipes off with a damp cloth."),
        "paper": ("The cover wipes clean after coffee accidents.", "Ink dries at once and does not smudge."),
    },
    "low impact": {
        "table": (
            "Fired with renewable energy from reclaimed clay and metal.",
            "Made without plastic, shipped without plastic.",
        ),
        "decor": (
            "Made from leftovers that would have been thrown away.",
            "Carbon counted, reduced and written on the receipt.",
        ),
        "soft": ("Filled and woven from recycled fibres.", "Dyed without harmful chemicals; certified organic."),
        "bag": ("Cut from offcuts and lined with recycled bottles.", "A take-back scheme turns it into the next one."),
        "wear": ("Certified organic and fairly made.", "Made of recycled yarn, using a tenth of the water."),
        "shoe": (
            "Soles of recycled tyres, laces of recycled bottles.",
            "Made without animal glue, in a solar-powered workshop.",
        ),
        "paper": ("Recycled pages, vegetable ink.", "One tree is planted for each one sold."),
    },
    "portable": {
        "table": ("So light that you forget it is in your bag.", "Weighs next to nothing, so it comes along."),
        "decor": (
            "Light enough to carry from room to room with one finger.",
            "Moves with you whenever the mood takes you.",
        ),
        "soft": ("Light enough to take to the terrace and back.", "One hand is enough to move it."),
        "bag": ("Weighs less than the keys inside.", "Ultralight; your shoulder will thank you."),
        "wear": ("So light you forget you are wearing it.", "Packs down to the size of an apple."),
        "shoe": ("Each shoe weighs less than an apple.", "So light you forget they are there."),
        "paper": ("Light enough to live in a coat pocket.", "Barely heavier than a letter."),
    },
    "hard wearing": {
        "table": ("Chip resistant: drop it and pour another cup.", "Tested on children for ten years."),
        "decor": ("Made so sturdily that it comes with a lifetime guarantee.", "Survives cats, moves and removals."),
        "soft": ("Rated for a hundred thousand rubs.", "Tough enough for dogs and toddlers."),
        "bag": ("Double-stitched, with a lifetime repair promise.", "The hardware is made for decades."),
        "wear": ("Reinforced where others give way.", "Survives years of wear; we mend it for free."),
        "shoe": ("The soles can be replaced, again and again.", "Reinforced where others give way."),
        "paper": ("Thread-sewn, so no page ever comes loose.", "A cover stiff enough to write on standing up."),
    },
    "comforting": {
        "table": ("Keeps its warmth for as long as you hold it.", "Sits in both hands like a warm stone."),
        "decor": ("Gives a room a gentle, calming mood.", "It makes the whole corner feel softer."),
        "soft": ("You sink in and do not want to move.", "Wonderfully soft against the cheek."),
        "bag": ("Padded straps that feel like a hand on the shoulder.", "The softest lining we have ever sewn."),
        "wear": ("As gentle as a hug, and never scratchy.", "Soft from the first day, softer every year."),
        "shoe": ("A cork footbed that shapes itself to you.", "Comfortable from the first step; no breaking in."),
        "paper": (
            "Pages so smooth that writing slows you down nicely.",
            "The cover feels warm and velvety in the hand.",
        ),
    },
    "weatherproof": {
        "table": ("Made to stay outdoors; frost does it no harm.", "Rain, camp fire, picnic: it takes them all."),
        "decor": ("Stands outside all year without fading.", "Rain and frost do it no harm."),
        "soft": ("Shrugs off showers and strong sun.", "UV-proof and dries within the hour."),
        "bag": ("Waterproof, seams included.", "Your laptop stays dry in a downpour."),
        "wear": ("Keeps wind and rain out.", "Treated to shed water, comfortable in any season."),
        "shoe": ("Sealed seams keep puddles out.", "Sure-footed in rain and slush."),
        "paper": ("Write in the rain: the pages do not mind.", "The cover keeps a shower out."),
    },
    "personalised": {
        "table": ("We engrave a name or a date for free.", "Choose the initials and we fire them in."),
        "decor": ("Made to order with your initials on the base.", "Tell us a date and we engrave it."),
        "soft": ("Embroidered with a name of your choice.", "Made to order; we stitch in a monogram."),
        "bag": ("Your monogram is embossed while you wait.", "Choose the initials for the inside flap."),
        "wear": ("Add embroidered initials at no charge.", "Made to your measurements in a week."),
        "shoe": ("Add your initials to the heel at no charge.", "Made to order, each foot measured."),
        "paper": ("Your name is stamped on the cover in foil.", "We add your initials to the first page."),
    },
    "space saving": {
        "table": ("Stacks neatly with its siblings.", "Nests in the cupboard, so small kitchens rejoice."),
        "decor": ("Takes hardly any room on a shelf.", "Made for narrow window sills and small flats."),
        "soft": ("Takes half the room you would expect.", "Made for small flats; it tucks away when guests leave."),
        "bag": ("Folds into its own pocket.", "Lies completely level in a drawer when empty."),
        "wear": ("Folds to nothing in a crowded wardrobe.", "Stows into its own pouch."),
        "shoe": ("They nest in one shoe box with a second pair.", "They fold down to fit any suitcase."),
        "paper": ("Fits behind a laptop without a bulge.", "Refillable, so one cover serves for years on one shelf."),
    },
}

CARE_LINES: dict[str, tuple[str, ...]] = {
    "ceramic": ("Glazed ceramic.", "Made of glossy ceramic."),
    "stoneware": ("Stoneware with a matt glaze.", "High-fired stoneware."),
    "porcelain": ("Fine porcelain.", "Bright, thin-walled porcelain."),
    "glass": ("Mouth-blown glass.", "Tinted glass."),
    "enamel": ("Enamel on steel.", "Steel with a bright enamel coat."),
    "concrete": ("Cast in fine concrete.", "Smooth, sealed concrete."),
    "stainless steel": ("Stainless steel inside and out.", "Brushed stainless steel."),
    "linen": ("European linen.", "Stonewashed linen."),
    "cotton": ("Dense cotton.", "Pure combed cotton."),
    "velvet": ("Cotton velvet with a deep sheen.", "Dense velvet."),
    "wool": ("Pure new wool.", "Wool from small flocks."),
    "cashmere": ("Two-ply cashmere.", "Mongolian cashmere."),
    "silk": ("Mulberry silk.", "Washed silk."),
    "jute": ("Natural jute.", "Braided jute fibre."),
    "leather": ("Vegetable-tanned leather.", "Full-grain leather that ages well."),
    "suede": ("Soft suede.", "Brushed suede."),
    "canvas": ("Heavy canvas.", "Waxed canvas."),
    "recycled nylon": ("Recycled nylon.", "Nylon spun from old fishing nets."),
    "paper": ("A hundred and sixty pages of cream paper.", "Acid-free paper, ruled."),
}

TITLES = (
    "{brand} {name} {theme} {noun} in {shade}",
    "{brand} {name}: {theme} {material} {noun}, {shade}",
    "{name} {function} {noun} by {brand}, {shade} {material}",
    "{brand} {name} {function} {noun} in {shade}",
    "{name}, {theme} {noun} in {shade} by {brand}",
    "{brand} {name} {material} {noun} in {shade}",
)
"""Each shows the theme or the function, seldom both; the name keeps it distinct."""

OPENINGS = (
    "Meet {name}.", "{name} is our {theme} {noun}.", "{brand} presents {name}.", "The {noun} named {name}.",
    "Say hello to {name}, a {theme} {noun}.", "{name} by {brand}.",
)  # fmt: skip
