"""The search chooses on validation, goes on where it was killed, prunes, and survives trials that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import eval.search
from batch.lock import exclusive
from catalog.columns import INTERACTIONS
from catalog.errors import BusyError, ConfigError, DataError
from catalog.ids import IdMap
from catalog.splits import Split, make_split
from catalog.vectors import EmbeddingTable
from eval.cells import Judged
from eval.metrics import parse_metric
from eval.search import SearchConfig, search
from eval.search_report import search_toml
from eval.trials import Found, read_trials
from models.base import FitReport, TrainingData, Validate
from models.ease import EASEConfig
from models.registry import build

N_USERS, N_ITEMS, TAKEN = 60, 40, 10


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(0)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = []
    for user in range(N_USERS):
        chance = np.where(np.arange(N_ITEMS) % 4 == user % 4, 8.0, 1.0)
        for step, item in enumerate(rng.choice(N_ITEMS, TAKEN, replace=False, p=chance / chance.sum())):
            rows.append(
                {
                    **dict.fromkeys(INTERACTIONS),
                    "event_id": f"e{len(rows)}",
                    "user_id": f"u{user}",
                    "item_id": f"i{item}",
                    "timestamp": start + timedelta(hours=step),
                    "kind": "purchase",
                }
            )
    log = pl.DataFrame(rows, schema=INTERACTIONS, orient="row")
    return make_split(log, IdMap(f"i{item}" for item in range(N_ITEMS)), protocol="last")


def look(split: Split, trials: int, kept: Path | None = None, name: str = "ease", **options: Any) -> Found:
    config = SearchConfig(trials=trials, startup_trials=3, **options)
    return search(name, split.train, split.valid, {}, config, kept=kept)


def parameters(found: Found) -> list[Any]:
    return [dict(trial.parameters) for trial in found.trials]


def test_the_first_trial_is_the_defaults_and_the_best_value_is_what_the_best_settings_measure(split: Split) -> None:
    found = look(split, 6)
    assert found.trials[0].parameters == {"regularisation": EASEConfig().regularisation}
    assert found.best.value == max(trial.value for trial in found.trials if trial.value is not None)
    model = build("ease", found.parameters)
    model.fit(TrainingData(split.train))
    values, _ = Judged.of(split.valid, (split.train,)).measure(model.score_users, [parse_metric("recall@20")])
    assert found.best.value == pytest.approx(values["recall@20"].mean(), abs=1e-12)


def test_the_same_seed_draws_the_same_settings_and_another_seed_others(split: Split) -> None:
    assert parameters(look(split, 6)) == parameters(look(split, 6))
    assert parameters(look(split, 6)) != parameters(look(split, 6, seed=1))


@pytest.mark.parametrize("cut", [2, 5])
def test_a_killed_search_goes_on_to_the_end_of_the_whole_one(split: Split, tmp_path: Path, cut: int) -> None:
    whole = look(split, 8, tmp_path / "whole.jsonl")
    look(split, cut, tmp_path / "killed.jsonl")
    with (tmp_path / "killed.jsonl").open("a") as file:
        file.write('{"number": 9, "param')  # the kill came while a line was being written
    again = look(split, 8, tmp_path / "killed.jsonl")
    assert parameters(again) == parameters(whole)
    assert [t.value for t in again.trials] == [t.value for t in whole.trials]
    assert read_trials(tmp_path / "killed.jsonl") == list(again.trials)


def test_finished_trials_are_not_fitted_again(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(split, 4, tmp_path / "kept.jsonl")

    class Refuses(Counting):
        def fit(self, *args: Any, **kwargs: Any) -> FitReport:
            raise AssertionError("a kept trial was fitted again")

    monkeypatch.setattr(eval.search, "build", lambda name, overrides: Refuses(overrides))
    assert parameters(look(split, 4, tmp_path / "kept.jsonl")) == parameters(first)


def test_two_searches_of_one_file_at_once_are_refused(split: Split, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with exclusive(tmp_path / "kept.lock", "search ease"), pytest.raises(BusyError) as refused:
        look(split, 2, kept)
    assert f"another run of 'search ease' is going on (process {os.getpid()}" in str(refused.value)
    assert not kept.exists() and len(look(split, 2, kept).trials) == 2


def test_a_killed_search_leaves_no_lock(split: Split, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    hold = "import sys, time, pathlib; from batch.lock import exclusive\n"
    hold += "with exclusive(pathlib.Path(sys.argv[1]), 'x'): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, str(tmp_path / "kept.lock")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"process {holder.pid}"):
            look(split, 2, kept)
        holder.kill()
    assert len(look(split, 2, kept).trials) == 2


def test_of_trials_of_one_number_the_first_counts(split: Split, tmp_path: Path) -> None:
    whole = look(split, 3, tmp_path / "kept.jsonl")
    lines = (tmp_path / "kept.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "kept.jsonl").write_text("".join(line for line in lines for _ in range(2)))
    assert read_trials(tmp_path / "kept.jsonl") == list(whole.trials)
    assert parameters(look(split, 5, tmp_path / "kept.jsonl")) == parameters(look(split, 5))


def test_a_damaged_line_is_named(split: Split, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text("nonsense\n")
    with pytest.raises(DataError, match=r"kept\.jsonl' line 1 is no trial"):
        look(split, 2, kept)


class Counting:
    """A model whose validation rises by its `regularisation`, over `epochs` steps."""

    epochs = 12

    def __init__(self, overrides: Any) -> None:
        self.config = EASEConfig(**overrides)

    def fit(self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, **_: Any) -> FitReport:
        assert validate is not None
        history = [validate(self.score_users) for _ in range(self.epochs)]
        return FitReport(self.epochs, 0.0, max(history), tuple(history))

    def score_users(self, rows: npt.NDArray[np.int64]) -> Any:
        """Rank the valid item of as many users first as the setting says."""
        scores = np.tile(np.arange(N_ITEMS, 0, -1, dtype=np.float32), (len(rows), 1))
        share = np.log10(self.config.regularisation) / 4
        for at, user in enumerate(rows):
            if user < share * N_USERS:
                scores[at] = WANTED[user]
        return scores


WANTED = np.zeros((N_USERS, N_ITEMS), np.float32)


@pytest.fixture
def counting(split: Split, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Counting]], None]:
    WANTED[:] = 0
    WANTED[split.valid.user_rows, split.valid.item_rows] = 1

    def use(kind: type[Counting]) -> None:
        monkeypatch.setattr(eval.search, "build", lambda name, overrides: kind(overrides))

    return use


def test_trials_below_the_median_are_pruned_after_their_warm_up(
    split: Split, counting: Callable[[type[Counting]], None]
) -> None:
    counting(Counting)
    found = look(split, 20, select_by="recall@1", warmup_epochs=4)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned and all(len(trial.history) == 5 for trial in pruned)
    assert all(len(trial.history) == 12 for trial in found.trials if trial.state == "finished")
    assert found.best.value is not None
    assert found.best.value > max(trial.value for trial in pruned if trial.value is not None)


def test_a_trial_that_fails_is_kept_with_its_reason_and_the_search_goes_on(
    split: Split, counting: Callable[[type[Counting]], None], tmp_path: Path
) -> None:
    class Breaks(Counting):
        def fit(self, *args: Any, **kwargs: Any) -> FitReport:
            if self.config.regularisation > 300:
                raise DataError("the loss became nan in epoch 1")
            return super().fit(*args, **kwargs)

    counting(Breaks)
    found = look(split, 10, tmp_path / "kept.jsonl")
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed and all(trial.reason == "the loss became nan in epoch 1" for trial in failed)
    assert len(found.trials) == 10 and found.best.state == "finished"
    assert read_trials(tmp_path / "kept.jsonl") == list(found.trials)


def test_a_search_in_which_everything_fails_says_why_and_stops(
    split: Split, counting: Callable[[type[Counting]], None]
) -> None:
    class Breaks(Counting):
        def fit(self, *args: Any, **kwargs: Any) -> FitReport:
            raise DataError("60 items are more than max_items")

    counting(Breaks)
    with pytest.raises(DataError, match=r"no trial of 3 finished; the first said: 60 items"):
        look(split, 50)


def test_the_time_limit_breaks_off_a_running_trial_and_loses_no_finished_one(
    split: Split, counting: Callable[[type[Counting]], None], tmp_path: Path
) -> None:
    class Slow(Counting):
        epochs = 4

        def score_users(self, rows: npt.NDArray[np.int64]) -> Any:
            time.sleep(0.05)
            return super().score_users(rows)

    counting(Slow)
    found = look(split, 50, tmp_path / "kept.jsonl", timeout=0.7)
    assert found.timed_out and 1 <= len(found.trials) < 6
    assert len(read_trials(tmp_path / "kept.jsonl")) == len(found.trials)


def test_what_is_fixed_is_not_searched(split: Split) -> None:
    config = SearchConfig(trials=3)
    found = search("itemknn", split.train, split.valid, {}, config, fixed={"shrinkage": 3.0})
    assert all(set(trial.parameters) == {"neighbours"} for trial in found.trials)
    assert found.parameters["shrinkage"] == 3.0
    with pytest.raises(ConfigError, match="nothing is left to search"):
        search("ease", split.train, split.valid, {}, config, fixed={"regularisation": 1.0})


def test_a_setting_for_each_modality_is_found_by_role(split: Split) -> None:
    vectors = np.random.default_rng(0).standard_normal((N_ITEMS, 5)).astype(np.float32)
    text = EmbeddingTable(split.items, vectors, "noise")
    config = SearchConfig(trials=2)
    found = search("content_linear", split.train, split.valid, {"text": text}, config, fixed={"max_items": 99})
    assert found.trials[0].parameters["weights.text"] == 30.0
    assert found.parameters["max_items"] == 99 and set(found.parameters["weights"]) == {"text"}
    assert "weights = { text = " in search_toml(found)


def test_without_a_validation_row_nothing_is_chosen(split: Split) -> None:
    with pytest.raises(DataError, match="validation part is empty"):
        search("ease", split.train, split.valid.take(np.array([], np.int64)), {}, SearchConfig())


def test_kept_trials_are_plain_json_lines(split: Split, tmp_path: Path) -> None:
    look(split, 2, tmp_path / "kept.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == [0, 1]
