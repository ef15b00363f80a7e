"""The categories of Amazon Reviews 2023 and how large their makers say they are.

Source: the table of categories on https://amazon-reviews-2023.github.io/, rounded there; its sum is the published
571.54 million reviews of 48.19 million products.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CategorySize:
    """How much a category holds before anything is left out.

    Attributes:
        users: Who reviewed.
        items: Products.
        reviews: Ratings with or without a text.
    """

    users: int
    items: int
    reviews: int


def _thousands(users: float, items: float, reviews: float) -> CategorySize:
    return CategorySize(round(users * 1000), round(items * 1000), round(reviews * 1000))


SIZES: dict[str, CategorySize] = {
    "Baby_Products": _thousands(3_400, 217.7, 6_000),
    "Sports_and_Outdoors": _thousands(10_300, 1_600, 19_600),
    "Clothing_Shoes_and_Jewelry": _thousands(22_600, 7_200, 66_000),
    "Electronics": _thousands(18_300, 1_600, 43_900),
    "All_Beauty": _thousands(632, 112.6, 701.5),
    "Amazon_Fashion": _thousands(2_000, 825.9, 2_500),
    "Appliances": _thousands(1_800, 94.3, 2_100),
    "Arts_Crafts_and_Sewing": _thousands(4_600, 801.3, 9_000),
    "Automotive": _thousands(8_000, 2_000, 20_000),
    "Beauty_and_Personal_Care": _thousands(11_300, 1_000, 23_900),
    "Books": _thousands(10_300, 4_400, 29_500),
    "CDs_and_Vinyl": _thousands(1_800, 701.7, 4_800),
    "Cell_Phones_and_Accessories": _thousands(11_600, 1_300, 20_800),
    "Digital_Music": _thousands(101, 70.5, 130.4),
    "Gift_Cards": _thousands(132.7, 1.1, 152.4),
    "Grocery_and_Gourmet_Food": _thousands(7_000, 603.2, 14_300),
    "Handmade_Products": _thousands(586.6, 164.7, 664.2),
    "Health_and_Household": _thousands(12_500, 797.4, 25_600),
    "Health_and_Personal_Care": _thousands(461.7, 60.3, 494.1),
    "Home_and_Kitchen": _thousands(23_200, 3_700, 67_400),
    "Industrial_and_Scientific": _thousands(3_400, 427.5, 5_200),
    "Kindle_Store": _thousands(5_600, 1_600, 25_600),
    "Magazine_Subscriptions": _thousands(60.1, 3.4, 71.5),
    "Movies_and_TV": _thousands(6_500, 747.8, 17_300),
    "Musical_Instruments": _thousands(1_800, 213.6, 3_000),
    "Office_Products": _thousands(7_600, 710.4, 12_800),
    "Patio_Lawn_and_Garden": _thousands(8_600, 851.7, 16_500),
    "Pet_Supplies": _thousands(7_800, 492.7, 16_800),
    "Software": _thousands(2_600, 89.2, 4_900),
    "Subscription_Boxes": _thousands(15.2, 0.641, 16.2),
    "Tools_and_Home_Improvement": _thousands(12_200, 1_500, 27_000),
    "Toys_and_Games": _thousands(8_100, 890.7, 16_300),
    "Unknown": _thousands(23_100, 13_200, 63_800),
    "Video_Games": _thousands(2_800, 137.2, 4_600),
}
"""By the name that the files bear."""
