import numpy as np

from embedding.clip_training.batches import batches, folds, held_out, not_negatives


def test_every_row_once_and_runs_of_one_category():
    categories = ["a"] * 40 + ["b"] * 40
    made = batches(np.arange(80), categories, size=16, hard=0.5, rng=np.random.default_rng(0))
    assert sorted(np.concatenate(made)) == list(range(80)) and {len(part) for part in made} == {16}
    runs = [{categories[row] for row in part[at : at + 8]} for part in made for at in (0, 8)]
    assert all(len(run) == 1 for run in runs)


def test_without_hardness_categories_mix():
    categories = ["a"] * 40 + ["b"] * 40
    made = batches(np.arange(80), categories, size=16, hard=0.0, rng=np.random.default_rng(0))
    assert all(len({categories[row] for row in part}) == 2 for part in made)


def test_identical_words_and_variants_are_no_negatives():
    said = np.array([[0, 5], [1, 5], [2, 6], [3, 7]])  # the first two share one part
    shown = np.array([5, 1, 2, 3])  # of the first, that part is shown
    found = not_negatives(said, shown, np.array([0, 1, 2, 2]))
    assert found.tolist() == [
        [True, False, False, False],
        [True, True, False, False],
        [False, False, True, True],
        [False, False, True, True],
    ]


def test_absent_parts_are_no_words():
    said = np.array([[0, -1], [1, -1]])
    assert not_negatives(said, np.array([0, 1]), np.array([0, 1])).tolist() == [[True, False], [False, True]]


def test_variants_are_never_divided():
    groups = np.repeat(np.arange(20), 3)
    learn, out = held_out(groups, 0.25, np.random.default_rng(0))
    assert not set(groups[learn]) & set(groups[out]) and len(out) == 15
    of = folds(groups, 4, np.random.default_rng(0))
    assert all(len(set(of[groups == group])) == 1 for group in range(20)) and set(np.bincount(of)) == {15}


def test_a_part_is_held_out_however_small_the_shop():
    learn, out = held_out(np.array([0, 1]), 0.01, np.random.default_rng(0))
    assert len(learn) == len(out) == 1
