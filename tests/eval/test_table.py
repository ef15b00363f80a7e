"""The table on a log whose right answer is obvious: two circles of shoppers who never cross."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import eval.cells
from catalog.columns import INTERACTIONS
from catalog.errors import ConfigError
from catalog.ids import IdMap
from catalog.splits import Split, make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.compare import compare
from eval.config import EvalConfig
from eval.report import report_json, report_markdown
from eval.report_files import files_line, write_report
from eval.report_reading import read_reports
from eval.table import Table, evaluate

N_ITEMS, N_USERS, TAKEN = 20, 30, 8


def checkerboard() -> tuple[pl.DataFrame, IdMap]:
    """Even users take even items, odd users odd ones; who takes what is otherwise arbitrary."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for user in range(N_USERS):
        for step, half in enumerate(rng.choice(N_ITEMS // 2, TAKEN, replace=False)):
            rows.append(
                {
                    **dict.fromkeys(INTERACTIONS),
                    "event_id": f"e{user}-{step}",
                    "user_id": f"u{user}",
                    "item_id": f"i{2 * int(half) + user % 2}",
                    "timestamp": start + timedelta(hours=step),
                    "kind": "purchase",
                }
            )
    return pl.DataFrame(rows, schema=INTERACTIONS, orient="row"), IdMap(f"i{i}" for i in range(N_ITEMS))


@pytest.fixture
def split() -> Split:
    log, items = checkerboard()
    return make_split(log, items, protocol="last")


@pytest.fixture
def modalities(split: Split) -> dict[str, EmbeddingTable]:
    rng = np.random.default_rng(1)
    parity = np.arange(N_ITEMS)[:, None] % 2 * np.ones((1, 6))
    vectors = (parity + 0.1 * rng.standard_normal(parity.shape)).astype(np.float32)
    return {"text": EmbeddingTable(split.items, vectors, "parity")}


def run(split: Split, modalities: dict[str, EmbeddingTable], workspace: Workspace | None = None, **kw: Any) -> Table:
    config = EvalConfig(models=("popularity", "itemknn"), metrics=("ndcg@5", "hit@2", "coverage@5"), **kw)
    return evaluate(split, modalities, config, workspace=workspace, data_key="test")


def test_a_neighbour_model_finds_the_other_item_of_the_colour_and_popularity_cannot(
    split: Split, modalities: dict[str, EmbeddingTable]
) -> None:
    popularity, itemknn = run(split, modalities).rows
    # One of the ten items of a user's colour is test, seven are train and valid (masked): three remain,
    # so a model that knows the colour hits in two tries with probability 2/3 at least by chance.
    assert itemknn.intervals["hit@2"].mean > 0.5 > popularity.intervals["hit@2"].mean


def test_every_user_with_a_test_item_is_counted_once(split: Split, modalities: dict[str, EmbeddingTable]) -> None:
    table = run(split, modalities)
    assert table.n_users == N_USERS
    assert all(len(row.values["ndcg@5"]) == N_USERS for row in table.rows)


def test_cells_are_kept_and_an_interrupted_table_resumes(
    split: Split, modalities: dict[str, EmbeddingTable], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    first = run(split, modalities, workspace)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a kept cell was fitted again")

    monkeypatch.setattr(eval.cells, "contender", refuse)
    again = run(split, modalities, workspace)
    for a, b in zip(first.rows, again.rows, strict=True):
        assert a.intervals == b.intervals
    with pytest.raises(AssertionError, match="fitted again"):
        run(split, modalities, workspace, seeds=(1,))


def test_the_report_has_the_promised_form(split: Split, modalities: dict[str, EmbeddingTable], tmp_path: Path) -> None:
    config = EvalConfig(models=("popularity", "itemknn"), metrics=("ndcg@5", "coverage@5"), seeds=(3,))
    table = evaluate(split, modalities, config)
    report = report_json(
        table, dataset="board", origin="generated", data_key="k", modalities={"text": "parity"}, config=config
    )
    also = tmp_path / "deep" / "out.json"
    also.parent.mkdir()
    paths = write_report(tmp_path, "board-last", report, also=also, tables=[table])
    assert all(path.is_file() for path in paths)
    assert files_line(paths) == f"Written: {tmp_path}/board-last.{{json,npz,md,png}}, {tmp_path}/deep/out.{{json,npz}}"
    read = json.loads(also.read_text(encoding="utf-8"))
    assert read["per_user"] == "out.npz", "what vitrine compare reads lies beside the report it belongs to"
    assert compare(read_reports(also), read_reports(tmp_path / "board-last.json")).count("[+0.0000, +0.0000]") == 2
    assert {"dataset", "protocol", "n_users", "models"} <= set(read)
    row = read["models"]["itemknn"]
    assert set(row) == {"metrics", "seed", "epochs", "fit_seconds", "history"} and row["seed"] == 3
    metric = row["metrics"]["ndcg@5"]
    assert metric["ci95"][0] <= metric["mean"] <= metric["ci95"][1]
    text = report_markdown(read)
    assert "| itemknn |" in text and "generated shop, plumbing" in text and "itemknn against popularity" in text


def test_an_unknown_model_is_named(split: Split) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'itemknn'"):
        evaluate(split, {}, EvalConfig(models=("itemnn",)))


def test_who_has_no_history_is_judged_by_what_they_would_be_served_and_told_apart(
    modalities: dict[str, EmbeddingTable],
) -> None:
    log, items = checkerboard()
    late = log.head(4).with_columns(
        user_id=pl.lit("late"),
        timestamp=pl.lit(datetime(2027, 1, 1, tzinfo=UTC)),
        event_id=pl.col("event_id") + "-late",
    )
    split = make_split(pl.concat([log, late]), items, protocol="temporal")
    table = run(split, modalities)
    popularity, itemknn = table.rows
    assert table.cold_users == {"late"}
    at = popularity.users.index("late")
    assert itemknn.values["ndcg@5"][at] == popularity.values["ndcg@5"][at]
    config = EvalConfig(models=("popularity", "itemknn"))
    report = report_json(table, dataset="b", origin="import", data_key="k", modalities={}, config=config)
    assert report["cold"]["without a history"]["users"] == 1
    assert "ndcg@5 of the 1 users without a history: popularity" in report_markdown(report)


def test_each_pair_is_tested_once_and_a_control_against_its_model_alone(
    split: Split, modalities: dict[str, EmbeddingTable]
) -> None:
    both = {**modalities, "more": modalities["text"]}
    config = EvalConfig(models=("content_knn", "popularity"), metrics=("ndcg@5",), shuffle=("text",), ablate=True)
    table = evaluate(split, both, config)
    assert [(each.a, each.b) for each in table.comparisons] == [
        ("popularity", "content_knn"),
        ("content_knn", "content_knn (text shuffled)"),
        ("content_knn", "content_knn (no text)"),
        ("content_knn", "content_knn (no more)"),
    ]


class Heard:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.notes: list[str] = []

    def start(self, task: str, total: int | None, done: int = 0) -> None:
        self.tasks.append(f"{task} /{total}")

    def start_at_most(self, task: str, most: int) -> None:
        self.tasks.append(f"{task} <={most}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.notes.append(note)

    def finish(self) -> None:
        """Nothing."""


def test_progress_names_the_row_the_seed_and_how_many_are_left(
    split: Split, modalities: dict[str, EmbeddingTable]
) -> None:
    config = EvalConfig(
        models=("itemknn", "als", "lirdrec-exact"), metrics=("ndcg@5",), seeds=(3, 4), shuffle=("text",),
        overrides={"als": {"max_epochs": 2, "dim": 2}, "lirdrec-exact": {"max_epochs": 2, "dim": 4}},
    )  # fmt: skip
    heard = Heard()
    evaluate(split, modalities, config, progress=heard)
    assert heard.tasks == [
        "itemknn, seed 3, 1 of 7 /1",
        "als, seed 3, 2 of 7 <=2",
        "als, seed 4, 3 of 7 <=2",
        "lirdrec-exact, seed 3, 4 of 7 <=2",
        "lirdrec-exact, seed 4, 5 of 7 <=2",
        "lirdrec-exact (text shuffled), seed 3, 6 of 7 <=2",
        "lirdrec-exact (text shuffled), seed 4, 7 of 7 <=2",
    ]
    assert heard.notes[1].startswith("valid "), "als has no loss"
    assert heard.notes[-1].startswith("loss ")


def test_a_refusal_does_not_repeat_the_name(split: Split) -> None:
    table = evaluate(split, {}, EvalConfig(models=("popularity", "vbpr", "lirdrec-exact"), metrics=("ndcg@5",)))
    assert list(table.refused) == ["vbpr", "lirdrec-exact"]
    assert all(why.startswith("no modality was given; ") for why in table.refused.values())


def test_only_readers_of_a_role_are_listed(split: Split, modalities: dict[str, EmbeddingTable]) -> None:
    config = EvalConfig(models=("popularity", "content_knn"), metrics=("ndcg@5",))
    table = evaluate(split, modalities, config)
    given = {"dataset": "b", "origin": "import", "data_key": "k", "config": config}
    assert report_json(table, modalities={"text": "parity"}, **given)["readers"] == {"text": ["content_knn"]}
