"""Which items are known and which are new, and that nothing of the new ones is learned."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.splits import Split
from eval.captions.parts import cold_part, warm_part
from eval.cells import as_served, judged_parts
from eval.metrics import parse_metric

METRIC = parse_metric("ndcg@20")


def test_the_warm_part_is_what_vitrine_eval_judges_where_every_item_is_known(split: Split) -> None:
    assert len(split.cold_items) == 0
    part = warm_part(split)

    def scorer(rows: np.ndarray) -> np.ndarray:
        return np.sin(np.arange(len(rows) * 40, dtype=np.float32)).reshape(len(rows), 40)

    expected, _ = judged_parts(split)[1].measure(as_served(split.train)(scorer), [METRIC])
    assert part.judge(part.test, scorer, METRIC).tolist() == expected["ndcg@20"].tolist()


def test_items_without_a_train_row_are_no_part_of_the_warm_judgement(later_split: Split) -> None:
    part = warm_part(later_split)
    known = set(later_split.train.item_rows.tolist())
    assert not known.issuperset(later_split.test.item_rows.tolist())
    assert known.issuperset(part.test.judged.relevant.item_rows.tolist())


def test_held_out_items_leave_no_row_in_any_history(split: Split) -> None:
    part = cold_part(split, share=0.25, seed=3)
    assert part is not None
    assert (len(part.known), len(part.new)) == (30, 10) and not set(part.known) & set(part.new)
    rows = sum(len(each) for each in (split.train, split.valid, split.test))
    judged = len(part.valid.judged.relevant) + len(part.test.judged.relevant)
    assert part.history.shape == (60, 30) and part.history.nnz + judged == rows


def test_half_of_the_held_out_items_chooses_and_the_other_half_judges(split: Split) -> None:
    part = cold_part(split, share=0.25, seed=3)
    assert part is not None and part.valid.among is not None and part.test.among is not None
    assert part.valid.among.sum() == part.test.among.sum() == part.ranked == 5
    assert not (part.valid.among & part.test.among).any()
    for each in (part.valid, part.test):
        assert each.among is not None and each.among[each.judged.relevant.item_rows].all()


def test_only_the_judging_half_is_ranked(split: Split) -> None:
    part = cold_part(split, share=0.25, seed=3)
    assert part is not None and part.test.among is not None
    # The other half has the better scores; were it ranked, nobody's first place could be a hit.
    scores = np.where(part.test.among, 1.0, 2.0).astype(np.float32)
    found = part.judge(part.test, lambda rows: np.tile(scores, (len(rows), 1)), parse_metric("hit@5"))
    assert found.tolist() == [1.0] * len(part.test.users)


def test_another_seed_holds_out_other_items(split: Split) -> None:
    first, second, again = (cold_part(split, share=0.25, seed=seed) for seed in (3, 4, 3))
    assert first is not None and second is not None and again is not None
    assert first.new == again.new != second.new


def test_by_time_the_new_items_are_those_without_a_train_row(later_split: Split) -> None:
    part = cold_part(later_split, share=0.25, seed=3)
    assert part is not None
    trained = np.bincount(later_split.train.item_rows, minlength=40) > 0
    assert set(part.new) == set(later_split.items.at(np.flatnonzero(~trained)))
    assert part.history.nnz == len(later_split.train)
    seen = part.test.judged.masked[-1]
    assert len(seen) == len(part.valid.judged.relevant), "what a user took before the test is not ranked again"


def test_where_nobody_can_be_judged_there_is_no_cold_part(split: Split) -> None:
    assert cold_part(split, share=0.01, seed=0) is None


@pytest.mark.parametrize("name", ["split", "later_split"])
def test_users_of_the_cold_part_have_a_history(name: str, request: pytest.FixtureRequest) -> None:
    part = cold_part(request.getfixturevalue(name), share=0.25, seed=3)
    assert part is not None
    taken = np.diff(part.history.indptr)
    assert (taken[part.valid.users] > 0).all() and (taken[part.test.users] > 0).all()
