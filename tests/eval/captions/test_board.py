"""The scoreboard in a shop where one space knows what everybody takes, and another knows nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import ConfigError, DataError
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.captions.board import NOTHING, Scoreboard, Section, mean_of, scoreboard
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import RANDOM, Contender
from eval.captions.holm import holm
from eval.captions.lines import best_weight
from eval.captions.parts import warm_part
from eval.captions.probe import Solution
from eval.metrics import parse_metric

CONFIG = ScoreboardConfig(metric="ndcg@5", weights=(1.0, 10.0, 100.0), regularisations=(1.0, 10.0), cold_share=0.5)


def section(board: Scoreboard, part: str, ground: str) -> Section:
    return next(each for each in board.sections if (each.part, each.ground) == (part, ground))


@pytest.fixture(scope="module")
def board(split: Split, contenders: list[Contender], noise: EmbeddingTable) -> Scoreboard:
    return scoreboard(split, contenders, CONFIG, ground=noise)


def test_there_is_a_section_for_each_part_and_ground(board: Scoreboard) -> None:
    named = [(each.part, each.ground) for each in board.sections]
    assert named == [("warm", NOTHING), ("warm", "noise"), ("cold", NOTHING), ("cold", "noise")]
    assert [(line.name, line.kind) for line in board.sections[1].lines] == [
        ("noise", "base"), ("colour", "contender"), ("colour", "shuffled"), (RANDOM, "random")
    ]  # fmt: skip
    assert board.absent is None


def test_who_knows_the_colour_stands_first_and_finds_new_items_of_it(board: Scoreboard) -> None:
    cold = section(board, "cold", NOTHING)
    assert [line.name for line in cold.lines if line.kind == "contender"] == ["colour", "noise"]
    # Ten new items are ranked, about five of each colour, and users take their own alone: five shown by the colour hold
    # all that a user took, five shown by chance half of it.
    knowing = cold.line("colour")
    assert mean_of(knowing) > 0.6 > mean_of(cold.lines[0]) + 0.1
    gain, control = cold.against_base[0], cold.against_control[0]
    assert gain.a == control.a == "colour" and gain.corrected < 0.01 and control.corrected < 0.01
    assert gain.paired.difference.mean == pytest.approx(mean_of(knowing) - mean_of(cold.lines[0]))


def test_the_controls_know_nothing(board: Scoreboard) -> None:
    cold = section(board, "cold", NOTHING)
    for line in (cold.line("colour", "shuffled"), cold.line(RANDOM, "random"), cold.line("noise")):
        assert mean_of(line) == pytest.approx(mean_of(cold.lines[0]), abs=0.12)
        assert mean_of(line) < mean_of(cold.line("colour")) - 0.1


def test_the_same_seed_gives_the_same_values(split: Split, contenders: list[Contender], board: Scoreboard) -> None:
    again = scoreboard(split, contenders, CONFIG, ground=contenders[0].table)
    for one, other in zip(board.sections, again.sections, strict=True):
        for a, b in zip(one.lines, other.lines, strict=True):
            assert (a.name, a.weights) == (b.name, b.weights) and a.values.tolist() == b.values.tolist()


def test_the_weight_is_chosen_without_the_test_part(split: Split, colour: EmbeddingTable) -> None:
    part = warm_part(split)
    swapped = replace(part, test=part.valid)
    base = Solution.of(part.history, 1.0, 100)
    metric = parse_metric("ndcg@5")
    one, other = (best_weight(each, base, colour, (1.0, 10.0, 100.0), metric) for each in (part, swapped))
    assert one[:2] == other[:2] and one[2].tolist() != other[2].tolist()
    assert other[2].mean() == other[1], "where test is validation, the value is the one that was chosen by"


def test_the_chosen_weight_is_the_best_on_validation(split: Split, colour: EmbeddingTable) -> None:
    part, grid, metric = warm_part(split), (1.0, 10.0, 100.0), parse_metric("ndcg@5")
    base = Solution.of(part.history, 1.0, 100)
    each = {weight: best_weight(part, base, colour, (weight,), metric)[1] for weight in grid}
    assert best_weight(part, base, colour, grid, metric)[1] == max(each.values())


def test_a_space_that_knows_judged_rows_is_named_with_their_number(split: Split, contenders: list[Contender]) -> None:
    test = split.test
    pairs = list(zip(test.users.at(test.user_rows), test.items.at(test.item_rows), strict=True))
    taken = split.train
    known = (taken.users.at(taken.user_rows[:1])[0], taken.items.at(taken.item_rows[:1])[0])
    knowing = replace(contenders[1], learned_from=frozenset([*pairs[:7], known]))
    board = scoreboard(split, [contenders[0], knowing], CONFIG)
    warm = section(board, "warm", NOTHING)
    assert warm.rows == len(pairs) and dict(warm.seen) == {"colour": 7}


def test_lambda_is_chosen_once_and_without_content(split: Split, contenders: list[Contender]) -> None:
    part, metric = warm_part(split), parse_metric("ndcg@5")
    values = {
        each: part.judge(part.valid, Solution.of(part.history, each, 100).scores, metric).mean() for each in (0.1, 500)
    }
    board = scoreboard(split, contenders, CONFIG.model_copy(update={"regularisations": (0.1, 500.0)}))
    assert board.regularisation == max(values, key=lambda each: values[each])


def test_without_new_items_that_anybody_took_the_reason_is_said(split: Split, contenders: list[Contender]) -> None:
    board = scoreboard(split, contenders, CONFIG.model_copy(update={"cold_share": 0.01}))
    assert [each.part for each in board.sections] == ["warm"]
    assert board.absent == "no user of the validation part and of the test part took an item without a train row"


def test_without_a_validation_part_the_middle_of_each_grid_is_taken(split: Split, contenders: list[Contender]) -> None:
    nothing = split.valid.take(np.zeros(len(split.valid), np.bool_))
    board = scoreboard(replace(split, valid=nothing), contenders, CONFIG)
    warm = section(board, "warm", NOTHING)
    assert warm.line("colour").weights == (10.0,) and np.isnan(warm.line("colour").valid)


def test_a_space_of_other_items_is_refused_by_its_name(split: Split, colour: EmbeddingTable) -> None:
    other = EmbeddingTable(type(colour.ids)([f"x{i}" for i in range(40)]), colour.vectors, "elsewhere")
    with pytest.raises(DataError, match="elsewhere"):
        scoreboard(split, [Contender("elsewhere", other)], CONFIG)


def test_holm_adjusts_by_rank_and_never_falls() -> None:
    # Sorted .005 .01 .03 .04: times 4, 3, 2, 1 are .02 .03 .06 .04; the last rises to .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_grids_are_in_order_and_metrics_are_known() -> None:
    with pytest.raises(ValueError, match=r"weights \(3.0, 1.0\) are not in ascending order"):
        ScoreboardConfig(weights=(3.0, 1.0))
    with pytest.raises(ConfigError, match="ndgc"):
        ScoreboardConfig(metric="ndgc@20")
