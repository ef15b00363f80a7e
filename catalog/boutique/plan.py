"""The shop on paper: items, shoppers, log and truth, before a single picture is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from catalog.boutique.brands import make_brands
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.pieces import Piece, design
from catalog.boutique.sessions import Draft, Shopping, session_counts
from catalog.boutique.tastes import make_truth
from catalog.boutique.truth import Truth
from catalog.boutique.wording import attributes, describe
from catalog.log import log_frame
from catalog.nouns import Interaction, Item, User
from catalog.shop_data import ShopData

FOLDER = "boutique"
"""Folder of the pictures below `media`."""

NAME = "boutique"


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known before drawing: the shop as data, its truth, and the designs of its pieces in item order."""

    shop: ShopData
    truth: Truth
    pieces: list[Piece]


def plan(config: BoutiqueConfig) -> Plan:
    """Return the shop of `config`; nothing is written. Every shopper and piece draws from a stream of its own."""
    makers, designs, tastes, crowd, people = np.random.SeedSequence(config.seed).spawn(5)
    pieces = design(config, make_brands(np.random.default_rng(makers)), designs)
    truth = make_truth(config, pieces, tastes)
    log = _log(config, pieces, truth, crowd)
    shop = ShopData.of(NAME, _items(pieces, log), log, _users(truth, pieces, np.random.default_rng(people)))
    return Plan(shop, truth, pieces)


def _log(config: BoutiqueConfig, pieces: list[Piece], truth: Truth, root: np.random.SeedSequence) -> pl.DataFrame:
    streams = root.spawn(config.n_users + 1)
    counts = session_counts(config, np.random.default_rng(streams[-1])).tolist()
    drafts: list[Draft] = []
    for user, count in enumerate(counts):
        drafts.extend(Shopping(config, pieces, truth, user, np.random.default_rng(streams[user])).run(count))
    drafts.sort(key=lambda draft: (draft.when, draft.user))
    return log_frame(_numbered(drafts, truth))


def _numbered(drafts: list[Draft], truth: Truth) -> list[Interaction]:
    """Deal event, session and slate numbers in the order of the log."""
    sessions: dict[tuple[int, int], str] = {}
    slates: dict[tuple[int, int], str] = {}

    def label(known: dict[tuple[int, int], str], letter: str, user: int, number: int | None) -> str | None:
        return None if number is None else known.setdefault((user, number), f"{letter}{len(known) + 1:06d}")

    return [
        Interaction(
            event_id=f"e{k + 1:07d}",
            user_id=truth.users.ids[draft.user],
            item_id=truth.items.ids[draft.item],
            timestamp=draft.when,
            kind=draft.kind,
            session_id=label(sessions, "s", draft.user, draft.session),
            value=draft.value,
            text=draft.text,
            context=draft.context,
            request_id=label(slates, "r", draft.user, draft.slate),
        )
        for k, draft in enumerate(drafts)
    ]


def _items(pieces: list[Piece], log: pl.DataFrame) -> list[Item]:
    stars = log.filter(pl.col("kind") == "rating").group_by("item_id").agg(pl.col("value").mean(), pl.len().alias("n"))
    rated = {row["item_id"]: (round(row["value"], 2), row["n"]) for row in stars.iter_rows(named=True)}
    items = []
    for piece in pieces:
        title, description = describe(piece)
        rating, count = rated.get(piece.item_id, (None, 0))
        items.append(
            Item(
                item_id=piece.item_id, parent_id=piece.parent_id, title=title, description=description,
                price=piece.price, currency="EUR", brand=piece.brand.name, categories=piece.category.path,
                attributes=attributes(piece), images=(picture_path(piece),),
                videos=(film_path(piece),) if piece.motion else (), availability=piece.available, language="en",
                rating=rating, rating_count=count, sizes=piece.category.sizes,
            )
        )  # fmt: skip
    return items


def picture_path(piece: Piece) -> str:
    """Return where a piece's picture lies, relative to the workspace root."""
    return f"media/{FOLDER}/{piece.item_id}.jpg"


def film_path(piece: Piece) -> str:
    """Return where a piece's film lies, relative to the workspace root."""
    return f"media/{FOLDER}/{piece.item_id}.mp4"


def _users(truth: Truth, pieces: list[Piece], rng: np.random.Generator) -> list[User]:
    """Return shoppers as the shop knows them: little, and only loosely tied to their taste."""
    departments = {piece.category.name: piece.category.path[0] for piece in pieces}
    users = []
    for user_id in truth.users:
        taste = truth.user_taste(user_id)["category"]
        facts: dict[str, tuple[str, ...]] = {
            "country": (("DE", "FR", "NL", "IT", "ES", "SE", "IE")[int(rng.integers(7))],),
            "age_group": (("18-24", "25-34", "35-49", "50-64", "65+")[int(rng.integers(5))],),
        }
        if rng.random() < 0.4:
            facts["favourite_department"] = (departments[max(taste, key=lambda name: taste[name])],)
        draw = rng.random()
        users.append(User(user_id, None if draw < 0.45 else "silver" if draw < 0.8 else "gold", facts))
    return users
