"""Rules of the shop, caps by category, and further retrievers: what the second stage is told beside taste."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from catalog.ids import IdMap
from catalog.nouns import Candidate
from indexes.fusion import fuse
from tools.base import Shopper
from tools.doubles import TOY_NOW, PopularityDouble
from tools.pipeline.config import PipelineConfig
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.pool import Proposed, united
from tools.pipeline.run import run
from tools.pipeline.training import source_names
from tools.shop import Shop


def asked(shop: Shop, *, user: str | None = "ana", top_n: int = 6, **settings: Any) -> PipelineResult:
    config = PipelineConfig.model_validate({**shop.pipeline.model_dump(), **settings})
    request = PipelineRequest(Shopper(user), TOY_NOW, "recommend", top_n=top_n)
    return run(replace(shop, pipeline=config), request)


def ids(result: PipelineResult) -> list[str]:
    return [ranked.item_id for ranked in result.ranked]


def brand_of(shop: Shop, item_id: str) -> str | None:
    return shop.catalog[item_id].brand


def test_arrays_unite_as_lists_do() -> None:
    rng = np.random.default_rng(0)
    lists = {name: rng.permutation(60)[: 10 * n] for n, name in enumerate(("a", "b", "c", "d"), start=1)}
    weights = {"a": 2.0, "c": 0.25}
    objects = {n: [Candidate(str(r), float(-at), n) for at, r in enumerate(rows)] for n, rows in lists.items()}
    told = fuse(objects, IdMap(map(str, range(60))), weights=weights)
    pool = united({n: Proposed(rows, -np.arange(len(rows), dtype=np.float32)) for n, rows in lists.items()}, weights)
    assert [str(row) for row in pool.rows] == [each.item_id for each in told]
    assert pool.score.tolist() == [each.score for each in told]
    assert pool.sources() == [each.sources for each in told]


def test_a_boost_lifts_and_is_named(shop: Shop) -> None:
    plain = ids(asked(shop, top_n=20, diversity=0))
    last = next(i for i in reversed(plain) if brand_of(shop, i))
    rule = {"name": "spring", "do": "boost", "by": 1.0, "filters": {"brand": [brand_of(shop, last)]}}
    result = asked(shop, top_n=20, diversity=0, rules=[rule])
    assert ids(result).index(last) < plain.index(last)
    lifted = next(r for r in result.ranked if r.item_id == last)
    assert lifted.features["rule.spring"] == 1.0
    stage = next(stage for stage in result.trace["stages"] if stage["stage"] == "rules")
    others = [r for r in result.ranked if brand_of(shop, r.item_id) != brand_of(shop, last)]
    assert stage["moved"]["spring"] >= len(result.ranked) - len(others) > 0
    assert others and not any("rule.spring" in r.features for r in others)


def test_what_is_buried_sinks_and_what_is_hidden_goes(shop: Shop) -> None:
    first = ids(asked(shop, diversity=0))[0]
    bury, hide = ({"name": do, "do": do, "by": 1.0, "items": [first]} for do in ("bury", "hide"))
    assert ids(asked(shop, top_n=30, diversity=0, rules=[bury]))[-1] == first
    gone = asked(shop, top_n=30, rules=[hide])
    assert first not in ids(gone)
    assert gone.trace["drops"][first] == "rule hide"
    assert gone.trace["dropped"]["rule hide"] == 1


def test_a_pin_stands_at_its_place_whether_proposed_or_not(shop: Shop) -> None:
    plain = ids(asked(shop, top_n=30))
    pin = {"name": "launch", "do": "pin", "items": [plain[9]], "place": 3}
    result = asked(shop, rules=[pin])
    assert ids(result)[2] == plain[9]
    assert result.ranked[2].features["rule.launch"] == 3.0
    assert ids(asked(shop, rules=[pin], pool=1, retrievers={"popularity": 1}, top_n=1)) != []
    owned = {**pin, "items": ["S01"]}  # ana has it
    assert "S01" not in ids(asked(shop, rules=[owned]))


def test_a_search_is_not_for_sale(shop: Shop) -> None:
    rule = {"name": "push", "do": "pin", "items": ["B02"], "place": 1}
    config = PipelineConfig.model_validate({"rules": [rule]})
    request = PipelineRequest(Shopper("ana"), TOY_NOW, query="blue vase")
    assert ids(run(replace(shop, pipeline=config), request)) == ids(run(shop, request))


def test_rules_say_what_they_are_about_and_have_a_name_each() -> None:
    with pytest.raises(ValidationError, match="neither items nor filters"):
        PipelineConfig.model_validate({"rules": [{"name": "x", "do": "hide"}]})
    twice = {"name": "x", "do": "hide", "items": ["a"]}
    with pytest.raises(ValidationError, match="'x' stands twice"):
        PipelineConfig.model_validate({"rules": [twice, twice]})


def test_at_most_so_many_of_one_category_among_the_first(shop: Shop) -> None:
    def most(result: PipelineResult, depth: int) -> int:
        kinds = [shop.catalog[item_id].categories[-1] for item_id in ids(result)[:depth]]
        return max(kinds.count(kind) for kind in kinds)

    free = asked(shop, user=None, top_n=12, diversity=0)
    capped = asked(shop, user=None, top_n=12, diversity=0, category_cap=1, category_depth=4)
    assert most(free, 4) > 1
    assert most(capped, 4) == 1
    assert ids(capped)[0] == ids(free)[0]


def test_retrievers_are_chosen_with_a_quota_each(shop: Shop) -> None:
    items = IdMap([item.item_id for item in shop.catalog])
    second = PopularityDouble(
        IdMap(["ana"], "user"), items, {i: float(n) for n, i in enumerate(items)}, dict.fromkeys(items, "all")
    )
    wide = replace(shop, retrievers={"second": second})
    everything = asked(wide)
    assert set(everything.trace["sources"]) == set(source_names(wide)) >= {"second", "popularity-double", "popularity"}
    chosen = asked(wide, retrievers={"second": 5, "popularity": 3, "liked:text-hashing": 2})
    assert chosen.trace["sources"] == {"second": 5, "liked:text-hashing": 2, "popularity": 3}
    # The last of the catalogue score highest with it.
    stocked = [i for i in items if i not in {"S01"}]
    proposed = next(r for r in asked(wide, retrievers={"second": 1}).ranked)
    assert proposed.item_id in stocked[-8:]
