"""The scoreboard as JSON, Markdown, a terminal's text and a picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.captions.agreement import Agreement, agreements
from eval.captions.board import Scoreboard, mean_of, scoreboard
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import Contender
from eval.captions.cost import Cost
from eval.captions.report import scoreboard_json, scoreboard_markdown, write_scoreboard
from eval.captions.text import scoreboard_text
from eval.captions.wording import section_rows, told_apart

CONFIG = ScoreboardConfig(
    metric="ndcg@5", weights=(1.0, 30.0), regularisations=(200.0,), deals=1, cold_share=0.5, resamples=100,
    check="content_linear",
)  # fmt: skip


@pytest.fixture(scope="module")
def board(split: Split, contenders: list[Contender], noise: EmbeddingTable) -> Scoreboard:
    return scoreboard(split, contenders, CONFIG, ground=noise)


@pytest.fixture(scope="module")
def checked(
    split: Split, contenders: list[Contender], noise: EmbeddingTable, board: Scoreboard
) -> tuple[Agreement, ...]:
    return agreements(split, board, contenders, CONFIG, ground=noise)


@pytest.fixture
def report(contenders: list[Contender], board: Scoreboard, checked: tuple[Agreement, ...]) -> dict[str, Any]:
    said = replace(
        contenders[1], captioner="eyes (model-1)", prompt="0123abcd", embedder="m", stale=True,
        cost=Cost(100.0, 2000, 500, 3.0),
    )  # fmt: skip
    return scoreboard_json(
        board, checked, [contenders[0], said], CONFIG,
        dataset="two colours", origin="generated", data_key="d" * 64, protocol="mmrec", split={"seed": 0},
    )  # fmt: skip


def test_the_json_holds_every_line_and_what_a_point_costs(report: dict[str, Any], board: Scoreboard) -> None:
    cold = next(each for each in report["sections"] if (each["part"], each["ground"]) == ("cold", "no content"))
    line = next(each for each in cold["lines"] if (each["name"], each["kind"]) == ("colour", "contender"))
    gain = line["gain"]["difference"]
    assert gain == pytest.approx(mean_of(board.sections[2].line("colour")) - cold["lines"][0]["mean"])
    assert line["a_point"]["seconds"] == pytest.approx(100.0 * 0.01 / gain)
    assert line["a_point"]["prompt_tokens"] == round(2000 * 0.01 / gain)
    assert line["a_point"]["money"] == pytest.approx(3.0 * 0.01 / gain)
    assert report["contenders"]["noise"]["cost"] is None
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_what_is_not_told_from_nothing_has_no_price_a_point(report: dict[str, Any]) -> None:
    lines = [line for each in report["sections"] for line in each["lines"] if line["name"] == "colour"]
    own = [line for line in lines if line["kind"] == "contender"]
    bought = [line["gain"]["difference"] > 0 and line["gain"]["holm"] < 0.05 for line in own]
    assert [line["a_point"] is not None for line in own] == bought and any(bought)


def test_the_text_fits_and_says_who_buys_what(report: dict[str, Any]) -> None:
    for width in (60, 80, 100, 140):
        text = scoreboard_text(report, width)
        assert max(map(len, text.splitlines())) <= width
    for said in (
        "Caption scoreboard: two colours, protocol mmrec (generated shop, plumbing)",
        "New items (a drawn 50% of the items that anybody took, all their rows held out), on no content",
        "eyes (model-1)", "0123abcd", "brought along", "time a point", "money a point", "random vectors",
        "run vitrine embed: colour", "content_linear trained in full on 5 entries",
    ):  # fmt: skip
        assert said in " ".join(text.split()) or said in text


def test_a_gain_that_proves_nothing_has_no_rank_and_says_so(report: dict[str, Any]) -> None:
    assert "proves nothing" not in scoreboard_text(report) and "colour *" not in scoreboard_text(report)
    report["sections"][0]["seen"] = {"colour": 7}
    for text in (scoreboard_text(report, 200), scoreboard_markdown(report)):
        assert "so that its gain proves nothing. colour knows 7 of 60." in text
        first = text[: text.index("so that its gain proves nothing")]
        assert first.index("random vectors") < first.index("colour *") and "colour over" not in first
    names = [row[0] for row in section_rows(report["sections"][0], report["metric"])]
    assert names[-1] == "colour *" and names[0] == "contender"


def test_pairs_are_few_and_the_closest_the_rest_stands_in_the_json(report: dict[str, Any]) -> None:
    section = report["sections"][0]
    pairs = [(0.04, 0.001), (0.01, 0.02), (-0.02, 0.03), (0.002, 0.8), (0.0, 1.0), (0.003, 0.5)]
    section["between"] = [
        {"a": f"a{at}", "b": f"b{at}", "difference": difference, "holm": holm, "ci95": [0, 0], "p": holm}
        for at, (difference, holm) in enumerate(pairs)
    ]
    said = told_apart(section)
    assert said == (
        "3 of 6 pairs of contenders are told apart (p below 0.05 after correction). "
        "The closest of these: a1 over b1 +0.0100 (p = 0.0200); b2 over a2 +0.0200 (p = 0.0300). "
        "The closest of the others: b4 over a4 +0.0000 (p = 1.0000); a3 over b3 +0.0020 (p = 0.8000). "
        "All pairs: `between` in the JSON."
    )
    section["between"] = section["between"][3:4]
    assert told_apart(section).startswith("0 of 1 pairs") and "JSON" not in told_apart(section)
    section["between"] = []
    assert told_apart(section) == ""


def test_what_was_learned_anew_is_said(report: dict[str, Any]) -> None:
    assert "Learned anew" not in scoreboard_text(report)
    report["contenders"]["colour"]["learned_anew"] = True
    for text in (scoreboard_text(report, 400), scoreboard_markdown(report)):
        assert "Learned anew from train rows for this scoreboard, as for every evaluation: colour." in text


def test_columns_of_which_nothing_is_known_are_left_out(report: dict[str, Any]) -> None:
    for each in report["sections"]:
        for line in each["lines"]:
            line["a_point"] = None
    text = scoreboard_text(report, 140)
    assert "money a point" not in text and "time a point" not in text


def test_the_markdown_has_a_table_a_section_and_the_controls_of_the_check(report: dict[str, Any]) -> None:
    text = scoreboard_markdown(report)
    assert text.count("### ") == 4 and "| colour (shuffled) |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| contender | ndcg@5")}
    assert len(widths) <= 2 and "nan" not in text


def test_all_files_are_written_and_named(report: dict[str, Any], tmp_path: Path) -> None:
    also = tmp_path / "also.json"
    paths = write_scoreboard(tmp_path / "reports", "mmrec", report, also)
    assert [path.name for path in paths] == ["mmrec.json", "mmrec.md", "mmrec.png", "also.json"]
    assert json.loads(paths[0].read_text()) == json.loads(also.read_text()) == report
    before = paths[2].read_bytes()
    assert before.startswith(b"\x89PNG")
    write_scoreboard(tmp_path / "reports", "mmrec", report)
    assert paths[2].read_bytes() == before, "the same report gives the same picture"
