"""`vitrine ab report` over events as the shop keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.events import SqliteEventStore
from catalog.nouns import Assignment, Interaction, Slate
from catalog.tenancy import acting_for

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNNING = ("--set", "experiment.id=look", "--set", 'experiment.arms={"plain": {}, "diverse": {"weight": 1}}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sixty shoppers of the tenant acme; those of `diverse` click on both of the two items, the others on one."""
    store = SqliteEventStore(tmp_path / "store" / "events.sqlite")
    with acting_for("acme"):
        for n in range(60):
            user, arm, now = f"u{n}", ("plain", "diverse")[n % 2], NOON + timedelta(minutes=n)
            store.put_slate(
                Slate(f"r{n}", user, None, now, ("a", "b"), (1.0, 1.0), Assignment("look", arm, "user", 0.5))
            )
            items = "ab" if arm == "diverse" else "a"
            store.put([Interaction(f"e{n}{i}", user, i, now, "click", request_id=f"r{n}") for i in items])
    store.close()
    return tmp_path / "store"


def test_the_arms_are_compared(run, folder: Path, tmp_path: Path) -> None:
    made = run("ab", "report", "--store", folder, "--tenant", "acme", *RUNNING, "--json", tmp_path / "ab.json")
    assert made.code == 0 and "the split is as meant" in made.out, made
    report = json.loads((tmp_path / "ab.json").read_text())
    assert (report["control"], report["shoppers"]) == ("plain", {"plain": 30, "diverse": 30})
    assert [row["mean"] for row in report["metrics"]["clicks per item shown"]] == [0.5, 1.0]
    assert [row["mean"] for row in report["metrics"]["clicks"]] == [1.0, 2.0]
    over = run("ab", "report", "--store", folder, "--tenant", "acme", "--experiment", "look", "--control", "diverse")
    assert "compared with 'diverse'" in over.out and "-50.0%" in over.out


def test_what_cannot_be_compared_is_said(run, folder: Path) -> None:
    asked = ("ab", "report", "--store", folder, "--tenant", "acme")
    assert "--experiment ID or the setting experiment.id would be valid" in run(*asked).line
    assert "nothing was shown by experiment 'lok'. Did you mean 'look'?" in run(*asked, "--experiment", "lok").line
    assert (
        "--control 'x' is no arm. Available: diverse, plain"
        in run(*asked, "--experiment", "look", "--control", "x").line
    )
    of_nobody = run("ab", "report", "--store", folder, "--experiment", "look").line
    assert "No list in the log" in of_nobody and "as tenant 'open'; of others there are: --tenant acme" in of_nobody
    wrong = 'experiment={"id": "look", "arms": {"a": {}, "b": {"pipeline": {"diversity": 7}}}}'
    assert "pipeline.diversity" in run(*asked, "--set", wrong).line
