"""The measure itself: what moved an item passes, what did not is found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from agent.explanation import Explained
from agent.trace import ToolRun
from catalog.log import log_frame
from catalog.nouns import Evidence, Interaction
from eval.explain import histories, wishes
from eval.explain.claims import GONE, Claim, Place, Trial, claims_of
from eval.explain.config import FaithfulnessConfig
from eval.explain.histories import Histories
from eval.explain.report import report, report_text
from eval.explain.wishes import Wishes
from eval.explain.wording import blanked, without
from tools.doubles import TOY_NOW
from tools.shop import Shop

CONFIG = FaithfulnessConfig(shoppers=3, wishes=6, top_n=3, depth=25, events=(2, 9))


def share(trials: Sequence[Trial], kind: str) -> tuple[float, float]:
    figures = report([t for t in trials if t.claim.kind == kind], CONFIG, {})["kinds"][kind]["lower"]
    return figures["named"]["mean"], figures["other"]["mean"]


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    """Three shoppers, each of two categories."""
    rows = {"u1": ("V01", "V02", "M01"), "u2": ("S04", "S05", "L01"), "u3": ("B01", "B02", "M02")}
    return log_frame(
        Interaction(f"{user}-{at}", user, item, TOY_NOW - timedelta(days=9 - at), "purchase")
        for user, items in rows.items()
        for at, item in enumerate(items)
    )


class Liar:
    """Names of every item what nobody asked for, or what the shopper had little to do with."""

    def __init__(self, _: Any) -> None:
        pass

    def explain(self, item_ids: Sequence[str], run: ToolRun) -> Mapping[str, Explained]:
        words = Evidence("caption", "picture", ["plain", "background"], "")
        return {item_id: Explained("", (words, Evidence("event", "purchase", "nothing", ""))) for item_id in item_ids}


def test_words_that_are_named_move_their_items(shop: Shop) -> None:
    trials = Wishes(shop, CONFIG, TOY_NOW).trials()
    words = [t for t in trials if t.claim.kind in ("caption", "title", "description", "field")]
    assert len(words) >= 10
    lower = [t.named.rank is None or t.named.score < t.before.score for t in words]
    assert np.mean(lower) == 1.0
    others = [t.other.score < t.before.score for t in words if t.other is not None and t.other.rank is not None]
    assert np.mean(others) < 0.5


def test_words_that_are_named_in_vain_are_found_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "Explainer", Liar)
    trials = [t for t in Wishes(shop, CONFIG, TOY_NOW).trials() if t.claim.kind == "caption"]
    named, _ = share(trials, "caption")
    assert named < 0.6


def test_events_that_are_named_move_their_items(shop: Shop, log: pl.DataFrame) -> None:
    trials = [t for t in Histories(shop, log, CONFIG).trials() if t.claim.kind == "event"]
    named, other = share(trials, "event")
    assert trials and named == 1.0 and other < 0.5


def test_events_that_are_named_in_vain_are_found_out(
    shop: Shop, log: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "Explainer", Liar)
    trials = [t for t in Histories(shop, log, CONFIG).trials() if t.claim.kind == "event"]
    assert trials and share(trials, "event")[0] == 0.0


def test_what_is_only_told_is_no_claim() -> None:
    told = Explained(
        "",
        (
            Evidence("field", "rating", 4.6, "rating: rated 4.6"),
            Evidence("field", "brand", "Glasgar", "brand: by Glasgar"),
            Evidence("field", "colour", "blue", "colour: blue"),
            Evidence("caption", "picture", ["blue"], "A blue object"),
            Evidence("field", "description", ["stem"], "... one stem"),
            Evidence("field", "price", 24.0, "price: €24.00, within your limit of €40.00"),
            Evidence("signal", "keyword", 1, "place 1 by keyword"),
            Evidence("signal", "ground", "history", "ordered by your history"),
        ),
    )
    assert list(claims_of(told, ["keyword", "text"], ["blue", "stem"])) == [
        Claim("price", "price"),
        Claim("retriever", "keyword"),
        Claim("field", "colour", ("blue",), ("colour", "caption")),
        Claim("description", "description", ("stem",), ("description",)),
    ]


def test_what_is_taken_away_is_gone_from_the_fields_that_are_named_alone(shop: Shop) -> None:
    item, captions = shop.catalog["V01"], shop.captions["V01"]
    claim = Claim("field", "colour", ("blue",), ("colour", "caption"))
    changed, told = without(item, captions, claim, ("blue",))
    assert "colour" not in changed.attributes and changed.attributes["material"] == ("glass",)
    assert "blue" not in told[0].text and "rounded" in told[0].text and changed.title == item.title
    assert without(item, captions, Claim("price", "price"), ())[0].price is None
    assert blanked("Blue-striped vases; a vase.", ["vase"]) == "Blue-striped ; a ."


def test_shares_are_means_over_lists_of_what_fell() -> None:
    """Two lists: in the first one of two claims fell and no control; in the second the one claim and its control."""
    stands = Place(2, 0.5)
    claim = Claim("caption", "caption", ("blue",), ("caption",))
    trials = [
        Trial(1, "A", claim, stands, Place(4, 0.3), stands),
        Trial(1, "B", claim, stands, stands, stands),
        Trial(2, "C", claim, stands, GONE, Place(3, 0.5)),
        Trial(2, "D", Claim("price", "price"), stands, GONE),
    ]
    found = report(trials, CONFIG, {"shop": "toy", "model": "double"})
    caption = found["kinds"]["caption"]
    assert caption["lower"]["named"]["mean"] == (1 / 2 + 1) / 2
    assert caption["lower"]["other"]["mean"] == (0 + 1) / 2
    assert caption["lower"]["difference"]["mean"] == (1 / 2 + 0) / 2
    assert (caption["claims"], caption["lists"], caption["places"]) == (3, 2, 2.0)  # 2, 0 and 24 places lost
    assert "other" not in found["kinds"]["price"]["lower"]
    assert "| words of a caption | 3 | 75% (50% to 100%) |" in report_text(found)
