"""`vitrine export` through the console command, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def test_a_store_goes_out_and_comes_back(run, store):
    said = run("export", "mmrec", "out", "--store", store)
    assert said.code == 0 and "40 interactions, 8 users, 6 items; x_label from MMRec's rule, seed 7" in said.out
    assert np.load("out/image_feat.npy").shape == (6, 384) == np.load("out/text_feat.npy").shape
    assert run("import", "mmrec", "out", "--store", "back").out.startswith("items: 6 items, 40 interactions, 8 users")
    assert run("export", "recbole", "rb", "--store", "back", "--name", "rb").code == 0
    assert run("import", "recbole", "rb", "--store", "again").out.startswith("rb: 6 items, 40 interactions, 8 users")
    chosen = run("export", "mmrec", "two", "--feature", "video_feat=text-minilm", "--store", store)
    assert chosen.code == 0 and [path.name for path in Path("two").glob("*.npy")] == ["video_feat.npy"]


BAD = {
    "space": (["mmrec", "out", "--feature", "image_feat=nope"], "no such space in the store"),
    "file": (["mmrec", "out", "--feature", "../x_feat=text-minilm"], "a name that ends in _feat"),
    "label": (["recbole", "out", "--label-column", "x_label"], "label column 'x_label' is not in the log"),
    "taken": (["recbole", "taken"], "'taken' is there already"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_exported_is_one_line_and_writes_nothing(run, store, options, said):
    Path("taken").mkdir()
    Path("taken/mine").write_text("x")
    assert said in run("export", *options, "--store", store).line
    assert not Path("out").exists() and [path.name for path in Path("taken").iterdir()] == ["mine"]
