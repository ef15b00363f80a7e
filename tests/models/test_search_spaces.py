"""Every declared range fits the config it is for."""

from __future__ import annotations

import pytest

from catalog.errors import ConfigError
from models.registry import RECOMMENDERS, build
from models.search_spaces import SPACES, Choice, Range, Value, nested, search_space

ROLES = ("picture", "text")


def ends(span: Range) -> list[Value]:
    return list(span.options) if isinstance(span, Choice) else [span.low, span.high]


@pytest.mark.parametrize("name", sorted(SPACES.keys() & RECOMMENDERS.keys()))
def test_both_ends_of_every_range_are_valid_settings(name: str) -> None:
    for setting, span in search_space(name, ROLES).items():
        for value in ends(span):
            assert span.contains(value)
            build(name, nested({setting: value}))


def test_every_recommender_can_be_searched() -> None:
    assert sorted(RECOMMENDERS.keys() - SPACES.keys()) == []


def test_a_setting_for_each_modality_is_named_by_role() -> None:
    assert {"weights.picture", "weights.text"} <= set(search_space("content_linear", ROLES))
    assert nested({"weights.text": 3.0, "regularisation": 1.0}) == {"weights": {"text": 3.0}, "regularisation": 1.0}


def test_a_preset_is_searched_in_the_space_of_what_it_varies() -> None:
    assert search_space("lirdrec-no-copying") == search_space("lirdrec")


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no search space is declared for .easy.\. Did you mean .ease."):
        search_space("easy")
