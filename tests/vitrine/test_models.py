"""Trained models: every training is kept, compared, promoted and rolled back, and serves alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import ConfigError, NotFoundError
from catalog.workspace import Workspace
from models import registry
from vitrine.settings import load_settings
from vitrine.shelf import Shelf, Version
from vitrine.wiring import open_shop

ROOT = Path(__file__).parents[2]
WIDER = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 12}}')
WIDEST = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 16}}')


def scores(store: Path) -> bytes:
    """What the promoted recommender says of everybody."""
    model = registry.load(Workspace(store).path("models/lirdrec"))
    return model.score_users(np.arange(len(model.users))).tobytes()


def served(store: Path) -> bytes:
    """What the shop itself says of everybody."""
    shop = open_shop(load_settings({"store": str(store)}))
    try:
        assert shop.recommender is not None
        return b"".join(shop.recommender.score(user).values.tobytes() for user in shop.recommender.users)
    finally:
        shop.events.close()


def test_a_second_training_is_a_second_version_and_a_rollback_serves_the_old_scores(store: Path, run: Any) -> None:
    first, first_served = scores(store), served(store)
    assert ", version 2" in run("train", "--store", store, *WIDER).out
    assert scores(store) != first and served(store) != first_served
    ran = run("models", "rollback", "--store", store)
    assert ran.out == "lirdrec@1 is promoted again; a running shop takes it over within seconds\n"
    assert scores(store) == first and served(store) == first_served
    assert (
        "nothing was promoted before the served 'lirdrec'; kept: lirdrec@1, lirdrec@2"
        in run("models", "rollback", "--store", store).line
    )


def test_list_and_compare_say_what_differs(store: Path, run: Any) -> None:
    run("train", "--store", store, *WIDER)
    listed = run("models", "list", "--store", store).out.splitlines()
    assert [line.split()[:2] for line in listed[1:3]] == [["lirdrec@1", "-"], ["*", "lirdrec@2"]]  # too few to hold out
    assert listed[-1] == "served: lirdrec@2"
    rows = {
        line.split()[0]: line.split()[1:] for line in run("models", "compare", "lirdrec@1", "lirdrec").out.splitlines()
    }
    assert rows["config.dim"] == ["8", "12"]
    assert rows["epochs"] == ["5", "5"] and "config.epochs" not in rows
    alike = run("models", "compare", "lirdrec@1", "lirdrec@1", "--store", store).out
    assert alike.endswith("no setting and no source differs\n")


def test_a_training_may_wait_to_be_promoted(store: Path, run: Any) -> None:
    first = scores(store)
    assert "version 2 (not promoted)" in run("train", "--store", store, *WIDER, "--no-promote").out
    assert scores(store) == first
    assert run("models", "promote", "lirdrec@2", "--store", store).out.startswith("lirdrec@2 is promoted; ")
    assert scores(store) != first


def test_training_on_the_same_again_after_a_rollback_promotes_what_is_kept(store: Path, run: Any) -> None:
    run("train", "--store", store, *WIDER)
    second = scores(store)
    run("models", "rollback", "--store", store)
    assert "version 2 was trained on the same, and is promoted" in run("train", "--store", store, *WIDER).out
    assert scores(store) == second
    assert run("train", "--store", store, *WIDER).out == "models/lirdrec: already current\n"


def test_only_so_many_are_kept_and_a_number_is_never_given_twice(store: Path, run: Any) -> None:
    few = ("--set", "models.keep=2")
    run("train", "--store", store, *WIDER, *few)
    assert "removed, since models.keep is 2: lirdrec@1" in run("train", "--store", store, *WIDEST, *few).out
    shelf = Shelf(Workspace(store))
    assert [str(version) for version in shelf.versions("lirdrec")] == ["lirdrec@2", "lirdrec@3"]
    run("models", "rollback", "--store", store)
    assert run("models", "remove", "lirdrec@3", "--store", store).out == "lirdrec@3 is removed\n"
    run("models", "remove", "lirdrec@2", "--store", store)
    assert ", version 4" in run("train", "--store", store, *WIDEST).out


def test_a_version_serves_alone(store: Path, life: Any, tmp_path: Path) -> None:
    """Copied to a folder of its own, the store gone, in a process that has not seen it."""
    expected = scores(store)
    alone = tmp_path / "alone"
    shutil.copytree(Workspace(store).path("models/lirdrec"), alone)
    shutil.rmtree(store)
    code = (
        "import sys; from pathlib import Path; import numpy as np; from models import registry;"
        "m = registry.load(Path(sys.argv[1]));"
        "sys.stdout.buffer.write(m.score_users(np.arange(len(m.users))).tobytes());"
        "assert 'torch' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code, alone], capture_output=True, cwd=ROOT, check=True)
    assert ran.stdout == expected
    head = json.loads((alone / "version.json").read_text())
    assert head["version"] == 1 and head["meta"]["epochs"] == 5 and head["meta"]["data_key"]


def test_a_promotion_that_is_killed_leaves_one_or_the_other(store: Path, run: Any) -> None:
    run("train", "--store", store, *WIDER)
    known = {scores(store)}
    run("models", "rollback", "--store", store)
    known.add(scores(store))
    code = (
        "import sys; from catalog.workspace import Workspace; from vitrine.shelf import Shelf\n"
        "shelf = Shelf(Workspace(sys.argv[1])); versions = shelf.versions('lirdrec'); print('go', flush=True)\n"
        "while True:\n    [shelf.promote(version) for version in versions]\n"
    )
    for wait in (0.0, 0.003, 0.01, 0.03):
        with subprocess.Popen([sys.executable, "-c", code, store], cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"go\n"
            time.sleep(wait)
            assert scores(store) in known  # while it is being promoted to and fro
            os.kill(process.pid, signal.SIGKILL)
        assert scores(store) in known
    assert run("models", "promote", "lirdrec@1", "--store", store).code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("promote", "lirdrec@7"), "lirdrec@7 is not kept; kept: lirdrec@1"),
        (("promote", "lirdrek@1"), "no version of 'lirdrek' is kept. Did you mean 'lirdrec'?"),
        (("promote", "lirdrec@x"), "'lirdrec@x' names no version; 'lirdrec@2'"),
        (("promote", "../catalog"), "'../catalog' names no version"),
        (("remove", "lirdrec@1"), "lirdrec@1 is the promoted one; promote another first"),
        (("compare", "lirdrec@1", "ease"), "no version of 'ease' is kept"),
        (("rollback", "ease"), "no version of 'ease' is kept"),
        (("rollback",), "nothing was promoted before the served 'lirdrec'"),
    ],
)
def test_a_mistake_is_one_line(store: Path, run: Any, arguments: tuple[str, ...], line: str) -> None:
    assert line in run("models", *arguments, "--store", store).line


def test_without_a_model_the_list_says_how_to_get_one(run: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "vitrine train makes the first version" in run("models", "list", "--store", tmp_path / "empty").out
    assert "nosuch': run vitrine import" in run("models", "list", "--store", tmp_path / "nosuch").line
    assert not (tmp_path / "nosuch").exists()


def put(shelf: Shelf, text: str, name: str = "m") -> Version:
    def fill(folder: Path) -> None:
        (folder / "model.json").write_text(text)

    return shelf.add(name, text, {}, fill)


def test_a_version_that_fails_to_be_written_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf(Workspace(tmp_path))
    put(shelf, "one")

    def breaks(folder: Path) -> None:
        (folder / "model.json").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        shelf.add("m", "two", {}, breaks)
    assert [path.name for path in (tmp_path / "models" / "m").iterdir()] == ["v1"]


def test_rollback_goes_back_promotion_by_promotion_and_past_what_was_removed(tmp_path: Path) -> None:
    shelf = Shelf(Workspace(tmp_path))
    versions = [put(shelf, text) for text in ("one", "two", "three", "four")]
    for version in (versions[0], versions[2], versions[1], versions[3]):
        shelf.promote(version)
    shelf.remove(versions[1])
    assert shelf.rollback("m").number == 3
    assert shelf.rollback("m").number == 1
    with pytest.raises(NotFoundError, match="nothing was promoted before"):
        shelf.rollback("m")
    with pytest.raises(ConfigError, match="m@1 is the promoted one"):
        shelf.remove(versions[0])


def test_pruning_spares_the_served_and_what_a_rollback_needs_and_sweeps_up(tmp_path: Path) -> None:
    shelf = Shelf(Workspace(tmp_path))
    versions = [put(shelf, str(number)) for number in range(6)]
    shelf.promote(versions[0])
    shelf.promote(versions[1])
    (tmp_path / "models" / "m" / ".tmp-killed").mkdir()
    assert [version.number for version in shelf.prune("m", 3)] == [3, 4, 5]
    assert sorted(path.name for path in (tmp_path / "models" / "m").iterdir()) == ["manifest.json", "v1", "v2", "v6"]
    assert shelf.rollback("m").number == 1
    assert [version.number for version in shelf.prune("m", 1)] == [2, 6]
    assert put(shelf, "next").number == 7
