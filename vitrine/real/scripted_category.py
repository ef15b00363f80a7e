"""A category of Amazon Reviews 2023 in small, with its pictures, as its publisher's host has it: a double for tests."""

from __future__ import annotations

import gzip
import io
import json
import random
from typing import Any

from PIL import Image, ImageDraw

from catalog.media.scripted_host import Act, Reply, ScriptedHost

COLOURS = ("red", "blue", "green", "orange", "purple", "black", "gold", "teal")
THINGS = ("mug", "vase", "lamp", "bowl", "scarf")
FIRST_SECOND = 1_600_000_000


def category_host(category: str, *, items: int = 24, users: int = 30, each: int = 8, seed: int = 0) -> ScriptedHost:
    """Return a host with the two files of a category and the pictures that they name; not yet serving.

    Args:
        category: Its name, as in the publisher's paths.
        items: Products, each with one picture.
        users: Who reviewed.
        each: Reviews of each user; a user keeps to two colours, so there is something to learn.
        seed: Of who liked what.
    """
    host = ScriptedHost({})
    rng = random.Random(seed)
    products = [(f"B{n:09d}", COLOURS[n % len(COLOURS)], THINGS[n % len(THINGS)]) for n in range(items)]
    metas = [_product(host, item_id, colour, thing) for item_id, colour, thing in products]
    reviews = []
    for user in range(users):
        liked = {COLOURS[user % len(COLOURS)], COLOURS[(user + 1) % len(COLOURS)]}
        near = [item_id for item_id, colour, _ in products if colour in liked]
        far = [item_id for item_id, colour, _ in products if colour not in liked]
        chosen = rng.sample(near, min(len(near), each - 2))
        for n, item_id in enumerate([*chosen, *rng.sample(far, each - len(chosen))]):
            reviews.append(_review(f"U{user:05d}", item_id, 1000 * (FIRST_SECOND + 86_400 * n + user)))
    acts: dict[str, Act] = {
        f"/raw/review_categories/{category}.jsonl.gz": Reply(_packed(reviews), headers={"ETag": '"reviews"'}),
        f"/raw/meta_categories/meta_{category}.jsonl.gz": Reply(_packed(metas), headers={"ETag": '"meta"'}),
    }
    for item_id, colour, thing in products:
        acts[f"/images/{item_id}.jpg"] = Reply(_picture(colour, thing), headers={"Content-Type": "image/jpeg"})
    host.acts = acts
    return host


def _product(host: ScriptedHost, item_id: str, colour: str, thing: str) -> dict[str, Any]:
    return {
        "main_category": "All Beauty", "title": f"{colour.title()} {thing}", "average_rating": 4.5, "rating_number": 9,
        "features": [f"A {thing} in {colour}."], "description": [f"Hand made {thing}."], "price": 9.5,
        "images": [{"large": host.url(f"/images/{item_id}.jpg"), "variant": "MAIN", "hi_res": None, "thumb": None}],
        "videos": [], "store": f"House of {thing}s", "categories": ["Home", f"{thing.title()}s"],
        "details": {"Colour": colour}, "parent_asin": item_id, "bought_together": None,
    }  # fmt: skip


def _review(user: str, item_id: str, milliseconds: int) -> dict[str, Any]:
    return {
        "rating": 5.0, "title": "Good", "text": f"I like it, says {user} of {item_id}.", "images": [], "asin": item_id,
        "parent_asin": item_id, "user_id": user, "timestamp": milliseconds, "helpful_vote": 0,
        "verified_purchase": True,
    }  # fmt: skip


def _packed(rows: list[dict[str, Any]]) -> bytes:
    return gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), mtime=0)


def _picture(colour: str, thing: str) -> bytes:
    picture = Image.new("RGB", (64, 64), "ivory")
    side = 10 + 4 * THINGS.index(thing)
    ImageDraw.Draw(picture).ellipse((32 - side, 12, 32 + side, 52), fill=colour)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
