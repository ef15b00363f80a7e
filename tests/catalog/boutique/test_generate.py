from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.generate import boutique_key, generate, load_truth, save_boutique
from catalog.errors import NotBuiltError
from catalog.shop_data import load_shop
from catalog.workspace import Workspace

SCRIPT = """
import sys
from pathlib import Path
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.generate import save_boutique
from catalog.workspace import Workspace

if __name__ == "__main__":
    config = BoutiqueConfig.model_validate_json(sys.argv[2])
    save_boutique(Workspace(sys.argv[1]), config, workers=int(sys.argv[3]))
"""


def digests(root: Path) -> dict[str, str]:
    """Return the hash of every file but the manifests, which carry the time."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes_in_any_process_with_any_number_of_workers(tmp_path: Path) -> None:
    config = BoutiqueConfig(
        seed=5, n_items=72, n_users=30, n_events=600, image_size=64, video_size=64, video_frames=3, video_share=0.2
    )
    script = tmp_path / "make.py"
    script.write_text(SCRIPT)
    found = []
    for hash_seed, workers in (("0", "1"), ("12345", "2")):
        store = tmp_path / hash_seed
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, script, store, config.model_dump_json(), workers], env=env, check=True)
        found.append(digests(store))
    assert found[0] == found[1]
    kinds = {Path(name).suffix for name in found[0]}
    assert kinds == {".jpg", ".mp4", ".parquet", ".json", ".key"}


def test_another_seed_is_another_shop(tmp_path: Path, small: BoutiqueConfig) -> None:
    first = generate(small, tmp_path / "a", workers=1)
    other = generate(small.model_copy(update={"seed": small.seed + 1}), tmp_path / "b", workers=1)
    assert not first.shop.items.equals(other.shop.items)
    assert not first.shop.log.equals(other.shop.log)
    a, b = digests(tmp_path / "a"), digests(tmp_path / "b")
    shared = [name for name in a if name in b and name.endswith(".jpg")]
    assert len(shared) == small.n_items
    assert sum(a[name] == b[name] for name in shared) == 0


def test_every_picture_and_film_an_item_names_exists_and_nothing_else(tmp_path: Path, small: BoutiqueConfig) -> None:
    workspace = Workspace(tmp_path / "store")
    made = save_boutique(workspace, small, workers=1)
    named = {path for item in made.shop.catalog for path in (*item.images, *item.videos)}
    files = {str(p.relative_to(workspace.root)) for p in (workspace.root / "media").rglob("*") if p.is_file()}
    assert files == named | {"media/boutique/boutique.key"}
    assert any(path.endswith(".mp4") for path in named)


def test_a_second_run_only_reads_and_a_lost_picture_is_drawn_again(tmp_path: Path, small: BoutiqueConfig) -> None:
    workspace = Workspace(tmp_path / "store")
    made = save_boutique(workspace, small, workers=1)
    picture = workspace.root / made.shop.catalog.items[0].images[0]
    before, stamp = digests(workspace.root / "media"), picture.stat().st_mtime_ns
    again = save_boutique(workspace, small, workers=1)
    assert picture.stat().st_mtime_ns == stamp
    assert again.shop.items.equals(made.shop.items)
    assert again.shop.log.equals(made.shop.log)
    picture.unlink()
    save_boutique(workspace, small, workers=1)
    assert digests(workspace.root / "media") == before
    assert load_shop(workspace).log.equals(made.shop.log)


def test_pictures_of_another_shop_are_never_taken_for_this_one(tmp_path: Path, small: BoutiqueConfig) -> None:
    workspace = Workspace(tmp_path / "store")
    save_boutique(workspace, small, workers=1)
    before = digests(workspace.root / "media")
    generate(
        small.model_copy(update={"seed": 8}), workspace.root / "media", workers=1
    )  # as a killed run would leave it
    save_boutique(workspace, small, workers=1)
    assert digests(workspace.root / "media") == before


def test_catalog_and_truth_lie_apart_and_load_back(tmp_path: Path, small: BoutiqueConfig) -> None:
    workspace = Workspace(tmp_path / "store")
    with pytest.raises(NotBuiltError):
        load_truth(workspace)
    made = save_boutique(workspace, small, workers=1)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    assert manifest.meta["generated"] is True
    assert manifest.meta["boutique"] == boutique_key(small)
    assert load_shop(workspace).catalog.ids == made.shop.catalog.ids
    assert {p.name for p in workspace.path("catalog").iterdir()} == {"items.parquet", "log.parquet", "users.parquet"}
    assert load_truth(workspace).items == made.truth.items


def test_a_failed_run_leaves_the_old_pictures(
    tmp_path: Path, small: BoutiqueConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(small, tmp_path / "media", workers=1)
    before = digests(tmp_path)

    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("catalog.boutique.generate.shoot_all", fail)
    with pytest.raises(KeyboardInterrupt):
        generate(small.model_copy(update={"seed": 99}), tmp_path / "media", workers=1)
    assert digests(tmp_path) == before


@pytest.mark.parametrize("bad", [{"n_item": 5}, {"n_items": 0}, {"video_size": 65}, {"seed": -1}])
def test_config_refuses_what_it_does_not_know_or_cannot_use(bad: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(bad))):
        BoutiqueConfig(**bad)  # type: ignore[arg-type]


def test_progress_counts_every_piece(tmp_path: Path, small: BoutiqueConfig) -> None:
    class Counter:
        total: int | None = None
        steps = 0
        done = False

        def start(self, task: str, total: int | None) -> None:
            self.total = total

        def advance(self, steps: int = 1, note: str = "") -> None:
            self.steps += steps

        def finish(self) -> None:
            self.done = True

    counter = Counter()
    generate(small, tmp_path / "media", counter, workers=1)
    assert (counter.total, counter.steps, counter.done) == (small.n_items, small.n_items, True)
