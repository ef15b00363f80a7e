from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from batch.local import LocalEngine
from catalog.errors import NotBuiltError, NothingToDo
from catalog.workspace import Workspace
from embedding.video.frame_job import FrameJobConfig, embed_frames, load_frames
from embedding.video.thumbnail import Thumbnail

RED, BLUE = (200, 30, 30), (30, 30, 200)


def test_films_of_items_and_of_marketing_become_frames_with_their_times(store, film, shop):
    film(store.root / "one.mp4", [RED], frames=1)
    shop(store.root, {"v1": ("m0.mp4", "m1.mp4"), "v2": (), "v3": ("one.mp4",)})
    report = embed_frames(store, Thumbnail(), engine=LocalEngine(), config=FrameJobConfig(frames=4))
    assert (report.done, report.failed) == (14, 0)
    found = load_frames(store, "thumbnail")
    assert set(found) == {("item", "v1"), ("item", "v3"), *(("marketing", f"m{k}") for k in range(12))}
    two = found["marketing", "m0"]
    assert two.vectors.shape == (4, Thumbnail.dim) and two.length == pytest.approx(1.5, abs=0.05)
    assert (np.diff(two.seconds) > 0).all() and two.scenes.tolist() == [0, 0, 0.75, 0.75]
    np.testing.assert_array_equal(found["item", "v1"].vectors, two.vectors)  # the same film, read once
    assert report.duplicates == 1
    assert len(found["item", "v3"].seconds) == 1


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(tmp_path, film, shop):
    film(tmp_path / "good.mp4", [RED, BLUE])
    (tmp_path / "bad.mp4").write_bytes(b"no film at all")
    workspace = shop(tmp_path, {"a": ("good.mp4",), "b": ("bad.mp4",), "c": ("gone.mp4",)})
    report = embed_frames(workspace, Thumbnail(), engine=LocalEngine())
    assert (report.done, report.failed) == (1, 2)
    failures = pl.read_parquet(workspace.path("frames/thumbnail") / "failures.parquet")
    assert sorted(failures["id"]) == ["b", "c"] and all(failures["detail"])
    assert list(load_frames(workspace, "thumbnail")) == [("item", "a")]


def test_a_second_run_reads_only_what_is_new(store, film, shop):
    assert embed_frames(store, Thumbnail(), engine=LocalEngine()).done == 12
    film(store.root / "new.mp4", [BLUE])
    shop(store.root, {"v": ("new.mp4",)})
    again = embed_frames(store, Thumbnail(), engine=LocalEngine())
    assert (again.done, again.reused) == (1, 12)


def test_a_store_without_films_says_so(tmp_path, shop):
    shop(tmp_path / "still", {"v1": ()})
    with pytest.raises(NothingToDo, match="no item and no marketing medium of the store has a film"):
        embed_frames(Workspace(tmp_path / "still"), Thumbnail(), engine=LocalEngine())
    with pytest.raises(NotBuiltError, match=r"'catalog' is not in the store .* run vitrine generate or vitrine import"):
        embed_frames(Workspace(tmp_path), Thumbnail(), engine=LocalEngine())
    with pytest.raises(NotBuiltError, match="vitrine train video"):
        load_frames(Workspace(tmp_path), "thumbnail")
