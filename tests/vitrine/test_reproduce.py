"""`vitrine reproduce lirdrec` on a tiny stand-in: the plumbing, and that numbers alone decide what is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.shop_data import load_shop
from catalog.workspace import Manifest, Workspace
from vitrine.published import CLAIM_PERCENT, PUBLISHED, data_origin
from vitrine.reproduction_report import relative_gain, reproduction_markdown

FAST = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 3, "dim": 8}}')


def with_originals(run, store: Path) -> None:
    """Give the shop picture features of its own: the mean colour of each picture."""
    from PIL import Image

    items = load_shop(Workspace(store)).catalog
    colours = [np.asarray(Image.open(item.images[0]).convert("RGB"), np.float32).mean((0, 1)) / 255 for item in items]
    np.save("colours.npy", np.stack(colours))
    Path("ids.txt").write_text("\n".join(items.ids) + "\n")
    options = ("--ids", "ids.txt", "--space", "image_feat", "--store", store)
    assert run("import", "vectors", "colours.npy", *options).code == 0


@pytest.fixture
def ready(run, store: Path) -> Path:
    with_originals(run, store)
    return store


def reproduce(run, store, *options):
    return run(
        "reproduce", "lirdrec", "--store", store, "--original", "picture=image_feat",
        "--original", "text=text-minilm", *options, *FAST,
    )  # fmt: skip


def test_a_stand_in_runs_whole_and_says_what_it_is(run, ready):
    ran = reproduce(run, ready, "--seeds", "1,2", "--grid", "n_ui_layers=1,2", "--json", "r.json")
    assert ran.code == 0, ran
    report = json.loads(Path("r.json").read_text())
    assert list(report["rows"]) == ["original features", "captions"]
    captions = report["rows"]["captions"]
    assert captions["spaces"] == {"picture": "caption-pixels-minilm", "text": "text-minilm"}
    # The settings are those with the best validation value; of equals the first tried.
    for row in report["rows"].values():
        values = [each["recall@20"] for each in row["tried"]]
        assert [each["parameters"]["n_ui_layers"] for each in row["tried"]] == [1, 2]
        assert row["parameters"] == row["tried"][values.index(max(values))]["parameters"]
        assert len(row["epochs"]) == 2
    gain, rows = report["gains"]["captions"], report["rows"]
    ours, theirs = (rows[name]["metrics"]["ndcg@20"]["mean"] for name in ("captions", "original features"))
    assert gain["difference"] == pytest.approx(ours - theirs)
    assert gain["percent"] == pytest.approx(100 * (ours / theirs - 1))
    assert report["paper"] == {"source": "arXiv 2505.04960", "claim_percent": 4.21, "dataset": None, "ndcg@20": None}
    assert "+4.21% NDCG@20" in ran.out and "(your data, measured here)" in ran.out
    assert (ready / "reports" / "reproduce-lirdrec.md").read_text() in ran.out


def test_a_second_run_fits_nothing_again(run, ready, monkeypatch):
    first = reproduce(run, ready, "--seeds", "1")
    monkeypatch.setattr("eval.table.fit_cell", lambda *_, **__: pytest.fail("a finished cell was fitted again"))
    second = reproduce(run, ready, "--seeds", "1")
    assert first.code == second.code == 0
    table = [line for line in first.out.splitlines() if line.startswith(("|", "-", "Here"))]
    assert table and table == [line for line in second.out.splitlines() if line.startswith(("|", "-", "Here"))]


def test_a_gain_is_a_ratio_of_means_over_the_same_users():
    baseline = np.array([0.1, 0.2, 0.4, 0.3])
    same = relative_gain(baseline * 1.1, baseline)
    assert (same.mean, same.low, same.high) == pytest.approx((10, 10, 10))
    other = relative_gain(np.array([0.2, 0.2, 0.2, 0.2]), baseline)
    assert other.mean == pytest.approx(-20) and other.low < -20 < other.high
    nothing = relative_gain(baseline, np.zeros(4))
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (
            [1.0, 6.0],
            "is inside that range, so these data do not contradict it. Zero is outside the range: captions rank",
        ),
        (
            [-3.0, 2.0],
            "the gain here is smaller than the paper's. Zero is inside the range, so these data show no diff",
        ),
        ([5.0, 9.0], "the gain here is larger than the paper's. Zero is outside the range: captions rank better than"),
        (
            [-9.0, -5.0],
            "the gain here is smaller than the paper's. Zero is outside the range: captions rank worse than",
        ),
        ([None, None], "nothing can be said"),
    ],
)
def test_the_numbers_decide_what_is_said_of_the_claim(interval, said):
    metrics = {"ndcg@20": {"mean": 0.2, "ci95": [0.1, 0.3]}}
    row = {"spaces": {}, "parameters": {}, "metrics": metrics, "seed_spread": {"ndcg@20": [0.1, 0.2]}, "epochs": [3]}
    gain = {"metric": "ndcg@20", "difference": 0.0, "ci95": [0.0, 0.0], "p": 1.0, "percent": None}
    gain["percent_ci95"] = interval
    if interval[0] is not None:
        gain["percent"] = sum(interval) / 2
    report = {
        "dataset": "d", "n_users": 3, "label": "l", "rows": {"original features": row, "captions": row},
        "gains": {"captions": gain}, "seeds": [1], "select_by": "recall@20", "data_key": "0" * 64, "commit": None,
        "paper": {"source": "s", "claim_percent": CLAIM_PERCENT, "dataset": "Baby", "ndcg@20": 0.0455},
    }  # fmt: skip
    text = reproduction_markdown(report)
    assert said in text and "This is Baby; LIRDRec with the original features there: 0.0455." in text


def test_the_published_splits_are_of_the_published_sizes():
    # 160,792 reviews of Baby and 1,689,188 of Electronics, as the 5-core files of 2014 hold.
    assert sum(PUBLISHED["baby"].parts) == 160_792 and sum(PUBLISHED["electronics"].parts) == 1_689_188


def test_data_are_called_published_where_their_rows_are_and_yours_otherwise():
    manifest = Manifest("k", "2026-01-01", {}, "k")
    rows = [pl.DataFrame({"user_id": ["u"] * n}) for n in (160_792, 160_791)]
    assert [data_origin(manifest, log) for log in rows] == ["published", "import"]
    assert data_origin(Manifest("k", "2026-01-01", {"generated": True}, "k"), rows[0]) == "generated"


@pytest.fixture
def raw() -> Path:
    """Baby as the files of 2014 hold it, in small."""
    folder = Path("raw")
    folder.mkdir()
    reviews = [
        {"reviewerID": f"A{u}", "asin": f"B{i}", "overall": 4, "unixReviewTime": 1388275200 + u,
         "reviewText": f"{u}.{i}"}
        for u in range(8)
        for i in range(8)
        if (u + i) % 4
    ]  # fmt: skip
    texts = {"reviews_Baby_5.json.gz": [json.dumps(each) for each in [*reviews, reviews[0]]]}
    texts["meta_Baby.json.gz"] = [f"{{'asin': 'B{i}', 'title': 'Bib {i}'}}" for i in range(9)]
    for name, lines in texts.items():
        (folder / name).write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder


def test_a_data_set_is_built_from_raw_files_by_mmrecs_rules(run, raw):
    ran = run("reproduce", "lirdrec", "--data", "baby", "--raw", raw, "--store", "s")
    assert "the original features 'image_feat' are not in the store" in ran.line
    shop = load_shop(Workspace("s"))
    assert (len(shop.items), shop.log.height, shop.name) == (8, 48, "baby")
    assert "1 repeated review left out" in ran.out and "5-core" in ran.out and "x_label by rule 'mmrec'" in ran.out
    assert shop.log["x_label"].value_counts().sort("x_label")["count"].to_list() == [32, 8, 8]


def test_mmrecs_folder_may_be_described_by_raw_files(run, raw):
    folder = Path("mm")
    folder.mkdir()
    lines = ["userID\titemID\trating\ttimestamp\tx_label", *(f"{n % 4}\t{n % 3}\t5\t{n}\t{n % 3}" for n in range(12))]
    (folder / "baby.inter").write_text("\n".join(lines) + "\n")
    (folder / "i_id_mapping.csv").write_text("asin\titemID\nB2\t0\nB7\t1\nX\t2\n")
    np.save(folder / "image_feat.npy", np.eye(3, 4))
    np.save(folder / "text_feat.npy", np.eye(3, 5))
    ran = run("reproduce", "lirdrec", "--data", "baby", "--raw", raw, "--folder", folder, "--store", "s")
    assert "2 of 3 items described by the raw files" in ran.out
    shop = load_shop(Workspace("s"))
    assert [(item.item_id, item.title) for item in shop.catalog] == [("B2", "Bib 2"), ("B7", "Bib 7"), ("X", None)]
    assert Workspace("s").names("embeddings")[:1] == ["image_feat"]


BAD = {
    "unknown": (["--data", "babies"], "unknown data set 'babies' of the paper. Did you mean 'baby'"),
    "yours": (["--data", "baby"], "Baby is yours to run: vitrine fetch mmrec/baby says how"),
    "raw alone": (["--raw", "x"], "--raw 'x' needs --data"),
    "grid": (["--grid", "n_ui_layers"], "--grid 'n_ui_layers' is not of the form NAME=VALUE"),
    "seeds": (["--seeds", "a"], "--seeds 'a' is not a list of whole numbers"),
    "nothing": ([], "'catalog' is not in the store"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_reproduced_is_one_line(run, options, said):
    assert said in run("reproduce", "lirdrec", "--store", "nowhere", *options).line
    assert not Path("nowhere").exists()


def test_missing_originals_are_refused_before_anything_is_captioned(run, files):
    tables = ("--items", "files/items.csv", "--interactions", "files/interactions.csv")
    run("import", "table", *tables, "--images", "images/{item_id}.png", "--store", "store")
    for options in ((), ("--original", "text=text-mimilm")):
        ran = run("reproduce", "lirdrec", "--store", "store", *options)
        assert "are not in the store" in ran.line and "--original" in ran.line
    ran = run("reproduce", "lirdrec", "--store", "store", "--original", "text=text-minilm", "--grid", "layers=1,2")
    assert "layers" in ran.line
    assert not Path("store/captions").exists() and not Path("store/embeddings").exists()


def test_a_setting_the_model_does_not_have_is_refused_before_anything_is_fitted(run, ready):
    assert "layers" in reproduce(run, ready, "--grid", "layers=1,2").line
