"""Tasks and the words they are said in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.nouns import Item
from eval.agent.facets import Facets
from eval.agent.generate import Leaning, generate
from eval.agent.shopper import messages, mistyped
from eval.agent.tasks import Step, Task, TaskConfig, Wish, satisfying
from tools.toy_items import toy_items

ITEMS = toy_items()


def test_the_same_seed_gives_the_same_tasks_and_another_gives_others() -> None:
    config = TaskConfig(n=30, seed=1)
    tasks = generate(ITEMS, config)
    assert tasks == generate(ITEMS, config)
    assert tasks != generate(ITEMS, config.model_copy(update={"seed": 2}))
    assert Counter(task.category for task in tasks) == dict.fromkeys(
        ["find", "refine", "compare", "abstain", "policy", "feedback"], 5
    )
    assert all(Task.model_validate_json(task.model_dump_json()) == task for task in tasks)


def test_every_task_can_be_done_and_every_pair_is_true_of_the_records() -> None:
    for task in generate(ITEMS, TaskConfig(n=120, seed=5)):
        fitting = satisfying(ITEMS, task.wishes)
        assert bool(fitting) == ("not_carried" not in task.checks), task
        if "not_carried" in task.checks:
            assert not [item for item in ITEMS if all(wish.holds(item) for wish in task.wishes)]


def test_values_that_could_mean_two_things_are_never_asked_for() -> None:
    twice = replace(ITEMS[0], item_id="X1", brand="Ceramic", attributes={"size": ("12 x 4",)})
    said = {wish.value for wish in Facets([*ITEMS, twice]).counts}
    assert "ceramic" not in said and "12 x 4" not in said and "wool" in said
    assert "home" not in said  # broad, and every item has a narrower one that can be said
    assert Facets(ITEMS).of(ITEMS[0])[0] == Wish(field="category", value="vases")


def test_a_ceiling_is_round_above_the_price_and_nobodys_price() -> None:
    ceiling = Facets(ITEMS).below(9.5)
    assert ceiling is not None and ceiling.high == 10.0
    assert Facets(ITEMS).below(24.0) == Wish(field="price", high=25.0)
    assert Facets(ITEMS).below(44.0) == Wish(field="price", high=50.0)  # 45.00 is the moon vase's


def test_a_hidden_taste_is_told_by_what_matters_most() -> None:
    leaning = Leaning("ana", ITEMS[0], ("material", "colour", "brand"))
    tasks = generate(ITEMS, TaskConfig(n=60, seed=2), [leaning])
    theirs = [task for task in tasks if task.user_id == "ana" and task.category == "find"]
    assert theirs and all(task.wishes[1] == Wish(field="attribute", name="material", value="glass") for task in theirs)


def test_a_catalogue_without_words_is_refused() -> None:
    with pytest.raises(DataError, match="no agent task can be drawn from 1 items"):
        generate([Item("1", title="x")], TaskConfig())


def test_passes_differ_in_words_and_the_same_pass_never_does() -> None:
    wishes = [Wish(field="category", value="vases"), Wish(field="brand", value="Terrano"), Wish(field="price", high=50)]
    steps = (
        *(Step(act="want", wish=wish) for wish in wishes),
        Step(act="replace", wish=Wish(field="brand", value="Glasgar")),
    )
    task = Task(task_id="t", category="refine", steps=steps, checks=("fits",))
    passes = [tuple(messages(task, number)) for number in range(8)]
    assert len(set(passes)) == 8
    assert list(passes[0]) == messages(task, 0)
    for said in passes:
        whole = " ".join(said)
        assert all(word in whole for word in ("vases", "Terrano", "50")) and "Glasgar" in said[-1]


def test_a_typo_changes_one_long_word_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        said = mistyped("vases by Terrano under 60, ceramic", rng)
        assert said != "vases by Terrano under 60, ceramic" and said.startswith("vases by Terrano under 60, c")
    assert mistyped("blue mug", rng) == "blue mug"
