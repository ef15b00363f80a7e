"""Arms of an experiment: drawn by the shopper alone, the same for ever, and answered by their own pipeline."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import ValidationError

from catalog.errors import ConfigError
from catalog.nouns import Assignment
from tools.base import Shopper
from tools.because import because
from tools.doubles import TOY_NOW
from tools.experiment import ExperimentConfig, assigned, assignment_of, with_experiment
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop


def experiment(**arms: dict[str, object]) -> ExperimentConfig:
    return ExperimentConfig.model_validate({"id": "hide", "salt": "s", "arms": arms or {"a": {}, "b": {}}})


HIDE = {"pipeline": {"rules": [{"name": "none", "do": "hide", "items": ["V01", "V02", "V03"]}]}}


def test_the_draw_is_the_hash_of_salt_experiment_and_unit() -> None:
    digest = hashlib.sha256(b"s\x1fhide\x1fuser\x1fana").digest()
    wanted = "a" if int.from_bytes(digest[:8]) / 2**64 < 0.25 else "b"
    drawn = assigned(experiment(a={"weight": 1}, b={"weight": 3}), "ana", "s-1")
    assert drawn is not None
    assert drawn == Assignment("hide", wanted, "user", {"a": 0.25, "b": 0.75}[wanted])


def test_shoppers_keep_their_arm_and_guests_that_of_their_session() -> None:
    config = experiment()
    for n in range(50):
        by_user = {assigned(config, f"u{n}", session) for session in (None, "s-1", "s-2")}
        assert len(by_user) == 1
    guests = {assigned(config, None, f"s{n}") for n in range(50)}
    assert {each.arm for each in guests if each} == {"a", "b"} and {each.by for each in guests if each} == {"session"}
    assert assigned(config, None, None) is None


def test_shares_are_as_the_weights_say_and_another_experiment_draws_anew() -> None:
    config = experiment(a={"weight": 9}, b={})
    other = config.model_copy(update={"id": "other"})
    arms = [assigned(config, f"u{n}", None) for n in range(5000)]
    share = Counter(each.arm for each in arms if each)["b"] / 5000
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / 5000) ** 0.5
    mine = [n for n, each in enumerate(arms) if each and each.arm == "b"]
    again = sum(getattr(assigned(other, f"u{n}", None), "arm", None) == "b" for n in mine) / len(mine)
    assert abs(again - 0.1) < 4 * (0.1 * 0.9 / len(mine)) ** 0.5


def test_each_arm_is_answered_by_its_own_pipeline(shop: Shop) -> None:
    both = with_experiment(shop, experiment(a={}, b=HIDE))
    hidden = run(replace(shop, pipeline=both.arms["b"].pipeline), PipelineRequest(Shopper("x"), TOY_NOW, top_n=20))
    plain = run(shop, PipelineRequest(Shopper("x"), TOY_NOW, top_n=20))
    lists = {"a": [r.item_id for r in plain.ranked], "b": [r.item_id for r in hidden.ranked]}
    assert lists["a"] != lists["b"]
    seen = set()
    for n in range(20):
        shopper = Shopper(f"new{n}", "s")
        drawn = assignment_of(both, shopper)
        assert drawn is not None
        request = PipelineRequest(shopper, TOY_NOW, top_n=20)
        assert [r.item_id for r in run(both, request).ranked] == lists[drawn.arm]
        seen.add(drawn.arm)
    assert seen == {"a", "b"}


def test_reasons_are_tried_within_the_arm(shop: Shop) -> None:
    """What is asked about a newcomer with the same past must not be answered by the arm of nobody."""
    for arm, config in (
        ("a", experiment(a={"weight": 1e9}, b=HIDE)),
        ("b", experiment(a={}, b={**HIDE, "weight": 1e9})),
    ):
        both = with_experiment(shop, config)
        request = PipelineRequest(Shopper("ana", "s-1"), TOY_NOW, top_n=6)
        alone = both.arms[arm]
        assert because(both, request, run(both, request)) == because(alone, request, run(alone, request))


def test_an_arm_may_lead_with_another_recommender_and_rest_the_ranker(shop: Shop) -> None:
    beside = replace(shop, retrievers={"other": shop.recommender}, recommender=None)
    arms = with_experiment(beside, experiment(a={}, b={"recommender": "other"})).arms
    assert arms["b"].recommender is shop.recommender and arms["b"].ranker is None and arms["a"].recommender is None
    with pytest.raises(ConfigError, match=r"experiment\.arms\.b\.recommender is 'itemknn'"):
        with_experiment(shop, experiment(a={}, b={"recommender": "itemknn"}))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "x", "arms": {"a": {}}}, "at least 2"),
        ({"id": "x", "arms": {"a": {}, "b": {"pipeline": {"diversity": 3}}}}, "pipeline.diversity"),
        ({"id": "x", "arms": {"a": {}, "b": {"weight": 0}}}, "greater than 0"),
        ({"id": "x y", "arms": {"a": {}, "b": {}}}, "pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ExperimentConfig.model_validate(wrong)
