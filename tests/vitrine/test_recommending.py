"""`vitrine recommend`: the list, who proposed it, and what each stage did."""

from __future__ import annotations

import json
from dataclasses import replace

from catalog.told import Told
from tools.doubles import TOY_NOW, toy_shop
from tools.pipeline.config import PipelineConfig
from vitrine.recommending import recommended, recommended_json, recommended_text


def test_the_list_and_its_stages_are_told(tmp_path):
    shop = toy_shop(tmp_path)
    rule = {"name": "spring", "do": "pin", "items": ["V05"], "place": 2}
    ruled = replace(shop, pipeline=PipelineConfig.model_validate({"rules": [rule]}))
    result = recommended(ruled, "ana", 3)
    text = recommended_text(ruled, result).splitlines()
    assert text[0] == "on the ground of history"
    assert [line.split()[1] for line in text[1:7:2]] == [each.item_id for each in result.ranked]
    assert "V05" in text[3] and text[4].strip().startswith("proposed by") and "rule.spring" in text[4]
    stages = [line.split()[0] for line in text[8:-2]]
    assert stages == ["shopper", "filter", "retrieve", "unite", "rank", "rules", "select", "explain"]
    assert text[-2].startswith("proposed: popularity-double 30") or "popularity-double" in text[-2]
    assert text[-1].startswith("dropped: ")
    told = json.loads(recommended_json(result))
    assert told["ranked"][1]["item_id"] == "V05" and told["ranked"][1]["propensity"] == 1.0
    shop.events.close()


def test_what_the_shopper_told_is_kept_to_and_pins_stay(tmp_path):
    shop = toy_shop(tmp_path)
    rule = {"name": "spring", "do": "pin", "items": ["V05"], "place": 2}
    ruled = replace(shop, pipeline=PipelineConfig.model_validate({"rules": [rule]}))
    told = Told("dislike", "attribute.colour", "blue", "I can't stand blue", TOY_NOW)
    likes = Told("like", "attribute.colour", "white", "I love white", TOY_NOW)
    shop.events.put_told("cleo", [told, likes])
    result = recommended(ruled, "cleo", 6)
    items = [shop.catalog[each.item_id] for each in result.ranked]
    assert items and not any("blue" in item.attributes["colour"] for item in items)
    assert items[1].item_id == "V05" and "white" in items[0].attributes["colour"]
    assert "'told': 6" in recommended_text(ruled, result)
