"""docs/recommenders.md and docs/ladder.md name every setting and every feature."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from models.features import ITEM_FEATURES, MODEL_SCORE, SHOPPER_FEATURES, FeatureConfig
from models.ranker import RankerConfig
from models.ranking_data import RankingDataConfig
from models.registry import RECOMMENDERS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((DOCS / page).read_text("utf-8") for page in ("recommenders.md", "ladder.md"))
CONFIGS: list[type[BaseModel]] = [kind for _, kind in RECOMMENDERS.values()]
CONFIGS += [FeatureConfig, RankerConfig, RankingDataConfig]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda kind: kind.__name__)
def test_every_setting_is_written_down(config: type[BaseModel]) -> None:
    assert [name for name in config.model_fields if f"`{name}`" not in TEXT and f".{name}`" not in TEXT] == []


def test_every_feature_and_recommender_is_written_down() -> None:
    names = [*ITEM_FEATURES, *SHOPPER_FEATURES, MODEL_SCORE, "similarity.<space>", "score.<source>", "rank.<source>"]
    assert [name for name in [*names, *RECOMMENDERS] if f"`{name}`" not in TEXT and f"## {name}" not in TEXT] == []
