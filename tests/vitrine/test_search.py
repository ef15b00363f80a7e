"""`vitrine search`: the test part stays closed, what is found can be used, mistakes are one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import vitrine.searching
from catalog.splits import Split
from catalog.splits import make_split as real_split
from vitrine.settings import load_settings

SEARCH = ("search", "itemknn", "--trials", "3", "--protocol", "last")


class Poison:
    """A test part that nobody may look at."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the test part was read: {name}")

    def __len__(self) -> int:
        raise AssertionError("the test part was counted")


def test_the_test_part_is_never_read(store: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(*args: Any, **kwargs: Any) -> Split:
        return replace(real_split(*args, **kwargs), test=Poison())  # type: ignore[arg-type]

    with pytest.raises(AssertionError, match="was read"):
        poisoned_split = Poison()
        _ = poisoned_split.user_rows
    monkeypatch.setattr(vitrine.searching, "make_split", poisoned)
    ran = run(*SEARCH, "--store", store)
    assert ran.code == 0, ran
    assert "The test part was not read." in ran.out


def test_what_is_found_loads_as_settings_and_is_used_by_eval(store: Path, run: Any, tmp_path: Path) -> None:
    ran = run(*SEARCH, "--store", store)
    folder = store / "reports" / "search" / "itemknn"
    report = json.loads((folder / "last.json").read_text())
    snippet = (folder / "last.toml").read_text()
    assert snippet in ran.out and (folder / "last.md").read_text() in ran.out
    (tmp_path / "vitrine.toml").write_text(snippet)
    assert load_settings().models.overrides["itemknn"] == report["best"]["parameters"]
    (tmp_path / "vitrine.toml").unlink()
    used = run(
        "eval", "--store", store, "--models", "itemknn", "--protocol", "last",
        "--parameters", folder / "last.toml", "--json", "r.json",
    )  # fmt: skip
    assert used.code == 0, used
    assert json.loads(Path("r.json").read_text())["config"]["overrides"]["itemknn"] == report["best"]["parameters"]


def test_the_same_command_goes_on_where_it_was(store: Path, run: Any) -> None:
    run(*SEARCH, "--store", store)
    report = store / "reports" / "search" / "itemknn" / "last.json"
    first = json.loads(report.read_text())["trials"]
    assert run("search", "itemknn", "--trials", "5", "--protocol", "last", "--store", store).code == 0
    assert json.loads(report.read_text())["trials"][:3] == first


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("search", "itemnn"), "unknown model 'itemnn'. Did you mean 'itemknn'?"),
        (("search", "itemknn", "--protocol", "lst"), "unknown protocol 'lst'. Did you mean 'last'?"),
        (("search", "itemknn", "--select-by", "ndgc@20"), "unknown metric 'ndgc'"),
        (("search", "itemknn", "--select-by", "coverage@10"), "by metric 'coverage@10'; ndcg@10, recall@10, hit@10"),
        (("search", "itemknn", "--select-by", "recall@99999999999"), "a cut-off from 1 to 10,000 would be valid"),
        (("eval", "--metrics", "ndcg@10000000000"), "'ndcg@10000000000': a cut-off from 1 to 10,000 would be valid"),
        (("eval", "--parameters", "no.toml"), "'no.toml': No such file"),
        (("eval", "--parameters", "bad.toml"), "--parameters 'bad.toml' is no TOML"),
        (("eval", "--parameters", "other.toml"), "only tables [models.overrides.<model>] would be valid"),
        (("eval", "--parameters", "wrong.toml"), "itemknn: unknown setting 'neighbors'. Did you mean 'neighbours'?"),
    ],
)
def test_a_mistake_is_one_line(store: Path, run: Any, arguments: tuple[str, ...], line: str) -> None:
    Path("bad.toml").write_text("this is no toml")
    Path("other.toml").write_text("seed = 3")
    Path("wrong.toml").write_text("[models.overrides.itemknn]\nneighbors = 3")
    assert line in run(*arguments, "--store", store).line
