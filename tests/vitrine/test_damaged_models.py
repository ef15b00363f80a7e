"""A damaged version: found when it is loaded, told with a cure that works, and nothing of the history lost."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from catalog.workspace import Workspace
from vitrine.checksums import FileSum, file_sums, first_fault
from vitrine.shelf import HEAD, Shelf

CHAT = ("chat", "a blue vase", "--user", "u1")
WIDER = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 12}}')


def reverse_items(folder: Path) -> None:
    pl.read_parquet(folder / "items.parquet").reverse().write_parquet(folder / "items.parquet")


def cut_items(folder: Path) -> None:
    pl.read_parquet(folder / "items.parquet").head(2).write_parquet(folder / "items.parquet")


def poison(folder: Path) -> None:
    tables = load_file(folder / "model.safetensors")
    poisoned = {
        name: np.full_like(table, np.nan) if table.dtype.kind == "f" else table for name, table in tables.items()
    }
    save_file(poisoned, folder / "model.safetensors")


def drop_users(folder: Path) -> None:
    tables = load_file(folder / "model.safetensors")
    save_file({name: table for name, table in tables.items() if name != "users"}, folder / "model.safetensors")


def cut_users(folder: Path) -> None:
    pl.read_parquet(folder / "users.parquet").head(3).write_parquet(folder / "users.parquet")


def junk_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def other_config(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def truncate(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(100)


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def headless(folder: Path) -> None:
    (folder / "model.json").unlink()


def weightless(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def one_bit(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def listed(folder: Path) -> None:
    (folder / HEAD).write_text("[1]")


def undescribed(folder: Path) -> None:
    (folder / HEAD).unlink()


SEEN_WITHOUT_SUMS = (cut_items, poison, drop_users, cut_users, junk_config, other_config, truncate, empty, headless)
DAMAGE = (*SEEN_WITHOUT_SUMS, weightless, reverse_items, one_bit, listed, undescribed, shutil.rmtree)


@pytest.fixture(scope="module")
def trained_twice(life: Any, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a first version of 12 dimensions and the served second one of 8; nobody changes it."""
    store = tmp_path_factory.mktemp("twice") / "store"
    shutil.copytree(life.store, store)
    shutil.rmtree(store / "models" / "lirdrec")
    for chosen in (WIDER, life.fast):
        assert run("train", "--store", store, *chosen).code == 0
    return store


@pytest.fixture
def two(trained_twice: Path, tmp_path: Path) -> Path:
    """A copy of that store, to be hurt."""
    return Path(shutil.copytree(trained_twice, tmp_path / "store"))


def forget_sums(folder: Path) -> None:
    """Make a version one of the time before sums were kept."""
    head = json.loads((folder / HEAD).read_text())
    del head["files"]
    (folder / HEAD).write_text(json.dumps(head))


CURE = "run vitrine train for a new version, or vitrine models promote lirdrec@1 to serve that one"


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_with_its_cure(two: Path, run: Any, damage: Callable[[Path], None]) -> None:
    damage(two / "models" / "lirdrec" / "v2")
    line = run(*CHAT, "--store", two).line
    assert line.startswith("lirdrec@2 cannot be served ('") and line.endswith(CURE)
    assert f"{two}/models/lirdrec/v2" in line
    last = run("models", "list", "--store", two).out.splitlines()[-1]
    assert last.startswith("served: lirdrec@2, which is damaged") and last.endswith(CURE)


@pytest.mark.parametrize("damage", [headless, truncate, listed, undescribed, shutil.rmtree])
def test_doctor_sees_it_and_train_mends_it(two: Path, run: Any, life: Any, damage: Callable[[Path], None]) -> None:
    damage(two / "models" / "lirdrec" / "v2")
    doctor = run("doctor", "--store", two)
    assert doctor.code == 1
    (bad,) = (text for text in doctor.out.splitlines() if text.startswith("BAD"))
    assert "lirdrec@2 is damaged" in bad and bad.endswith(
        f"run vitrine train --store {two} for a new version, or vitrine models promote lirdrec@1 --store {two} "
        "to serve that one"
    )
    trained = run("train", "--store", two, *life.fast)
    assert ", version 3\n" in trained.out and "trained again, since lirdrec@2 is damaged (" in trained.out
    assert run(*CHAT, "--store", two).code == 0
    assert run("doctor", "--store", two).code == 0
    assert Shelf(Workspace(two)).trail("lirdrec") == [1, 2]
    assert run("train", "--store", two, *life.fast).out == "models/lirdrec: already current\n"


@pytest.mark.parametrize("damage", [headless, truncate, listed, shutil.rmtree])
def test_the_other_cure_in_the_line_works_too(two: Path, run: Any, damage: Callable[[Path], None]) -> None:
    damage(two / "models" / "lirdrec" / "v2")
    assert run("models", "promote", "lirdrec@1", "--store", two).code == 0
    assert run(*CHAT, "--store", two).code == 0
    assert Shelf(Workspace(two)).promoted("lirdrec") == 1
    assert run("doctor", "--store", two).code == 0


@pytest.mark.parametrize("damage", SEEN_WITHOUT_SUMS)
def test_a_version_without_sums_is_tried(two: Path, run: Any, damage: Callable[[Path], None]) -> None:
    folder = two / "models" / "lirdrec" / "v2"
    forget_sums(folder)
    damage(folder)
    assert run(*CHAT, "--store", two).line.startswith("lirdrec@2 cannot be served (")


def test_a_version_without_sums_is_current_while_it_loads(two: Path, run: Any, life: Any) -> None:
    folder = two / "models" / "lirdrec" / "v2"
    forget_sums(folder)
    assert run("doctor", "--store", two).code == 0
    assert run("train", "--store", two, *life.fast).out == "models/lirdrec: already current\n"
    poison(folder)
    assert run("doctor", "--store", two).code == 1
    assert ", version 3\n" in run("train", "--store", two, *life.fast).out


def test_weights_of_another_version_are_not_served(two: Path, run: Any) -> None:
    home = two / "models" / "lirdrec"
    shutil.copy(home / "v1" / "model.safetensors", home / "v2" / "model.safetensors")
    assert "model.safetensors' has " in run(*CHAT, "--store", two).line
    shutil.copytree(home / "v1", home / "v2", dirs_exist_ok=True)
    assert f"'{home}/v2/version.json' describes lirdrec@1, not lirdrec@2" in run(*CHAT, "--store", two).line


def test_a_damaged_version_is_neither_promoted_nor_rolled_back_to(two: Path, run: Any) -> None:
    manifest = two / "models" / "lirdrec" / "manifest.json"
    before = manifest.read_bytes()
    for again in range(2):  # with sums, then without
        weightless(two / "models" / "lirdrec" / "v1") if not again else forget_sums(two / "models" / "lirdrec" / "v1")
        line = run("models", "promote", "lirdrec@1", "--store", two).line
        assert line.startswith("lirdrec@1 is damaged and was not promoted (") and line.endswith("whole are: lirdrec@2")
        assert "lirdrec@1 is damaged and was not promoted (" in run("models", "rollback", "--store", two).line
    assert manifest.read_bytes() == before
    ran = run("doctor", "--store", two)
    assert ran.code == 0 and "lirdrec@1 is damaged (" in ran.out
    assert f"vitrine models remove lirdrec@1 --store {two} removes it" in ran.out
    assert run("models", "remove", "lirdrec@1", "--store", two).code == 0
    assert "is damaged" not in run("doctor", "--store", two).out


def test_a_lost_manifest_promotes_what_is_whole_and_trains_nothing_again(two: Path, run: Any, life: Any) -> None:
    (two / "models" / "lirdrec" / "manifest.json").unlink()
    said = run("train", "--store", two, *life.fast).out
    assert said.startswith("models/lirdrec: version 2 was trained on the same, and is promoted\n  reads ")


def test_what_is_damaged_is_pruned_before_what_is_whole(two: Path, run: Any, life: Any) -> None:
    truncate(two / "models" / "lirdrec" / "v2")
    said = run("train", "--store", two, *life.fast, "--set", "models.keep=2").out
    assert "removed, since models.keep is 2: lirdrec@2\n" in said
    assert run("models", "rollback", "--store", two).out.startswith("lirdrec@1 is promoted again")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse longer files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_training_the_disk_has_no_room_for_is_one_line_and_loses_nothing(
    two: Path, run: Any, life: Any, tree: Callable[[Path], dict[str, bytes]]
) -> None:
    before = tree(two)
    with files_of_at_most(20_000):
        line = run("train", "--store", two, *life.fast, "--set", "seed=5").line
    assert line.startswith(f"'{two}/models/lirdrec': File too large; nothing was lost, ")
    assert tree(two) == before and len(list((two / "models" / "lirdrec").iterdir())) == 3


def test_a_promotion_the_disk_has_no_room_for_leaves_the_one_before(two: Path, run: Any) -> None:
    with files_of_at_most(100):
        line = run("models", "promote", "lirdrec@1", "--store", two).line
    assert line.startswith(f"'{two}/models/lirdrec/manifest.json': File too large; lirdrec@1 is kept and not promoted")
    assert Shelf(Workspace(two)).promoted("lirdrec") == 2


def test_the_sums_of_a_folder_are_those_of_sha256(tmp_path: Path) -> None:
    (tmp_path / "ranker").mkdir()
    (tmp_path / "ranker" / "a").write_bytes(b"abc")  # the first example of FIPS 180-2, appendix B.1
    (tmp_path / "b").write_bytes(b"")
    sums = file_sums(tmp_path)
    assert sums == {
        "b": FileSum(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        "ranker/a": FileSum(3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    }
    assert first_fault(tmp_path, sums) is None
    (tmp_path / "ranker" / "a").write_bytes(b"abd")
    assert first_fault(tmp_path, sums) == f"'{tmp_path}/ranker/a' is not what was written: its sha256 has changed"
    (tmp_path / "ranker" / "a").write_bytes(b"ab")
    assert first_fault(tmp_path, sums) == f"'{tmp_path}/ranker/a' has 2 bytes, and had 3 when it was written"
    (tmp_path / "ranker" / "a").unlink()
    assert first_fault(tmp_path, sums) == f"'{tmp_path}/ranker/a' is missing"
