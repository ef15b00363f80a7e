"""Exploration slots: the logged chances are those of the draws, and an estimate by them is right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from catalog.log import log_frame
from models.features import FeatureConfig, FeatureStore
from tools.base import Shopper
from tools.doubles import TOY_NOW, toy_events
from tools.pipeline.config import PipelineConfig
from tools.pipeline.exploration import ExplorationConfig, explored, urns
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.pool import Pool
from tools.pipeline.run import run
from tools.shop import Shop

DRAWS = 4000


def with_exploration(shop: Shop, **settings: object) -> Shop:
    given = {"slots": (2, 4), "share": 0.5, "temperature": 0.5, **settings}
    exploration = ExplorationConfig.model_validate(given)
    return replace(shop, pipeline=shop.pipeline.model_copy(update={"exploration": exploration}))


def page(shop: Shop, request_id: str | None, top_n: int = 4) -> PipelineResult:
    return run(shop, PipelineRequest(Shopper("ana"), TOY_NOW, "recommend", top_n=top_n, request_id=request_id))


def ids(result: PipelineResult) -> list[str]:
    return [ranked.item_id for ranked in result.ranked]


def test_without_a_share_nothing_is_drawn(shop: Shop) -> None:
    assert PipelineConfig().exploration.share == 0
    found = page(shop, "r1")
    assert ids(found) == ids(page(shop, None))
    assert {ranked.propensity for ranked in found.ranked} == {1.0}


def test_the_same_request_has_the_same_answer_and_only_slots_change(shop: Shop) -> None:
    open_shop, greedy = with_exploration(shop), ids(page(shop, None))
    assert ids(page(open_shop, "r1")) == ids(page(open_shop, "r1"))
    assert ids(page(open_shop, None)) == greedy  # nobody could log it
    pages = [ids(page(open_shop, f"r{n}")) for n in range(40)]
    assert {(each[0], each[2]) for each in pages} == {(greedy[0], greedy[2])}
    assert len({each[1] for each in pages}) > 2
    assert all(len(set(each)) == 4 for each in pages)


def test_the_trace_and_the_evidence_name_what_was_drawn(shop: Shop) -> None:
    greedy = ids(page(shop, None))
    drawn = next(
        found for n in range(40) if ids(found := page(with_exploration(shop), f"r{n}"))[1] != greedy[1]
    )  # fmt: skip
    assert drawn.ranked[1].features["explored"] == 1.0
    assert drawn.ranked[1].propensity < 0.5 and drawn.ranked[0].propensity == 1.0
    stage = next(stage for stage in drawn.trace["stages"] if stage["stage"] == "explore")
    assert stage["slots"] == [2, 4]


def pool() -> Pool:
    rows = np.arange(40)
    return Pool.of_rows(rows).scored(np.linspace(1, 0, 40))


@pytest.mark.parametrize("new", [np.arange(40, 47), np.empty(0, np.int64)])
def test_propensities_are_the_frequencies_of_many_draws(new: np.ndarray) -> None:  # type: ignore[type-arg]
    config = ExplorationConfig(slots=(2, 5), share=0.4, new_share=0.3, depth=12)
    drawn_from = urns(pool(), new, 10, config)
    assert [urn.chances.sum() for urn in drawn_from] == pytest.approx([0.4, 0.4])
    seen, told = Counter[tuple[int, int]](), {}
    for n in range(DRAWS):
        shown = explored(pool(), drawn_from, f"request {n}", config)
        for place in (1, 4):
            cell = (place, int(shown.rows[place]))
            seen[cell] += 1
            told[cell] = float(shown.features["propensity"][place])
    assert told[1, 1] == pytest.approx(0.6) and told[4, 4] == pytest.approx(0.6)
    for cell, chance in told.items():
        # Four standard errors of a share of DRAWS draws.
        assert seen[cell] / DRAWS == pytest.approx(chance, abs=4 * (chance * (1 - chance) / DRAWS) ** 0.5 + 1e-3)


def test_weighting_by_the_chances_estimates_what_another_list_would_earn() -> None:
    """What an item earns at a place is known here; the log of the exploring policy must tell it of the other list."""
    config = ExplorationConfig(slots=(1, 2, 3), share=0.6, new_share=0.0, depth=9, temperature=2.0)
    earns = np.random.default_rng(5).random(40)
    drawn_from = urns(pool(), np.empty(0, np.int64), 3, config)
    other = [int(urn.rows[1]) for urn in drawn_from]  # a list that is never served as a whole
    true = sum(earns[row] for row in other)
    weighted, plain = [], []
    for n in range(DRAWS):
        shown = explored(pool(), drawn_from, f"request {n}", config)
        rows, chances = shown.rows[:3], shown.features["propensity"][:3]
        weighted.append(sum(earns[r] / c for r, c, o in zip(rows, chances, other, strict=True) if r == o))
        plain.append(sum(earns[rows]))
    error = float(np.std(weighted)) / DRAWS**0.5
    assert np.mean(weighted) == pytest.approx(true, abs=4 * error)
    assert abs(np.mean(plain) - true) > 4 * error  # what was earned does not say it


def test_new_items_are_those_nobody_met(shop: Shop) -> None:
    log = log_frame([e for e in toy_events()])
    store = FeatureStore(shop.catalog, log, as_of=TOY_NOW, spaces=shop.spaces, config=FeatureConfig())
    open_shop = with_exploration(replace(shop, statistics=store), share=0.9, new_share=1.0, slots=(2,))
    met = {event.item_id for event in toy_events()}
    short = replace(open_shop, pipeline=open_shop.pipeline.model_copy(update={"pool": 6}))
    drawn = [page(short, f"r{n}", top_n=2).ranked[1] for n in range(60)]
    assert {each.item_id for each in drawn if each.features.get("explored")} - met
    assert not {each.item_id for each in drawn if each.features.get("explored")} & met
