from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import ConfigError, DataError
from eval.compare import compare
from eval.plots import draw
from eval.report_reading import read_reports


def report(folder: Path, name: str, hits: list[float], **changes: object) -> Path:
    """A report of one model on ten users, with its per-user values beside it."""
    values = np.array(hits)
    np.savez(folder / f"{name}.npz", **{"ease\tndcg@20": values})
    cell = {"mean": float(values.mean()), "ci95": [0.1, 0.9], "seeds": [0.2, 0.4]}
    whole = {
        "dataset": "board", "protocol": "last", "data_key": "k", "n_users": len(hits), "label": "generated",
        "models": {"ease": {"metrics": {"ndcg@20": cell}, "epochs": 1, "fit_seconds": 1.0, "history": [[0.1, 0.2]]}},
        "split": {"source": "last"}, "per_user": f"{name}.npz", "config": {"select_by": "recall@20"},
    }  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**whole, **changes}))
    return path


def test_a_difference_is_tested_user_by_user(tmp_path):
    a = read_reports(report(tmp_path, "a", [0.0] * 10))
    b = read_reports(report(tmp_path, "b", [1.0] * 9 + [0.0]))
    first, second, _, header, line = compare(a, b).splitlines()
    assert header.split()[:4] == ["model", "metric", "a", "b"]
    assert first == f"a: {tmp_path / 'a.json'} (board, protocol last, 10 users)" and second.startswith("b: ")
    assert line.split()[:5] == ["ease", "ndcg@20", "0.0000", "0.9000", "+0.9000"] and "[+" in line
    assert float(line.split()[-1]) == pytest.approx(2 / 2**9, abs=0.004), "nine equal signs out of nine, either way"


def test_without_kept_values_the_means_stand_alone(tmp_path):
    a, b = (read_reports(report(tmp_path, name, [0.5] * 4, per_user=None)) for name in "ab")
    text = compare(a, b)
    assert text.splitlines()[4].split() == ["ease", "ndcg@20", "0.5000", "0.5000", "+0.0000", "-"]
    assert f"{str(tmp_path / 'b.json')!r} names no file of every user's values; write it anew by vitrine eval" in text


def test_values_that_did_not_travel_with_their_report_are_named_with_where_they_belong(tmp_path):
    a, b = (read_reports(report(tmp_path, name, [0.5] * 4)) for name in "ab")
    (tmp_path / "b.npz").unlink()
    text = compare(a, b)
    assert f"should be in {str(tmp_path / 'b.npz')!r}, which is not there; copy 'b.npz' from where" in text
    assert text.count("No intervals") == 1


def test_every_protocol_that_both_files_hold_is_compared_and_the_others_are_named(tmp_path):
    last = read_reports(report(tmp_path, "a", [0.0] * 10))
    both = (read_reports(report(tmp_path, "m", [1.0] * 10, protocol="mmrec"))[0], *last)
    text = compare(both, last)
    assert text.count("[+0.0000, +0.0000]") == 1 and "protocol mmrec" not in text
    assert text.endswith("Protocols in one file alone: mmrec (a).\n")


def test_where_nothing_is_shared_it_is_said_and_what_each_holds(tmp_path):
    a = read_reports(report(tmp_path, "a", [0.0] * 10))
    cell = {"metrics": {"hit@5": {"mean": 0.5, "ci95": [0.1, 0.9]}}}
    b = read_reports(report(tmp_path, "b", [1.0] * 10, protocol="mmrec", models={"ease": cell}))
    text = compare(a, b, anyway=True)
    assert "No model has a metric in both. a: ease by ndcg@20; b: ease by hit@5." in text
    assert "(board, protocol last, 10 users)" in text and "(board, protocol mmrec, 10 users)" in text
    assert "95% interval" not in text


def test_reports_of_different_things_are_refused_by_what_differs(tmp_path):
    a = read_reports(report(tmp_path, "a", [0.0] * 10))
    b = read_reports(report(tmp_path, "b", [1.0] * 10, data_key="other", split={"source": "random"}))
    with pytest.raises(DataError, match=r"differ in data_key 'k' and 'other'; split 'last' and 'random'"):
        compare(a, b)
    assert compare(a, b, anyway=True).count("not of the same thing") == 2
    assert "+1.0000             -" in compare(a, b, anyway=True), "users of different splits are not paired"


@pytest.mark.parametrize("width", [60, 100])
def test_nothing_is_wider_than_the_terminal(tmp_path, monkeypatch, width):
    monkeypatch.chdir(tmp_path)
    cell = {"metrics": {f"ndcg@{k}": {"mean": 0.5} for k in (5, 20)}}
    models = {name: cell for name in ("lirdrec-no-transformation (picture shuffled)", "ease")}
    a = read_reports(report(Path(), "a", [0.5] * 10, models=models, per_user=None))
    b = read_reports(report(Path(), "b", [0.5] * 10, models={**models, "als": cell}, per_user="gone.npz"))
    lines = compare(a, b, width=width).splitlines()
    assert max(map(len, lines)) <= width
    whole = " ".join(line.strip() for line in lines)
    assert "every user's values of 'b.json' should be in 'gone.npz', which is not there; copy 'gone.npz' from" in whole
    assert "Models in one of them alone: als." in whole
    assert sum("0.5000  0.5000" in line for line in lines) == 4
    assert ("lirdrec-no-transformation (picture shuffled)" in lines) == (width == 60), "on a line of its own"


def test_what_is_no_report_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="is no file"):
        read_reports(tmp_path / "none.json")
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(DataError, match="has no models"):
        read_reports(tmp_path / "x.json")
    (tmp_path / "y.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        read_reports(tmp_path / "y.json")


def test_the_picture_is_a_png_of_the_same_bytes_each_time(tmp_path):
    given = read_reports(report(tmp_path, "a", [0.0, 1.0]))[0]
    for name in ("one", "two"):
        draw(given, tmp_path / f"{name}.png")
    first, second = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "two"))
    assert first == second
    assert first.startswith(b"\x89PNG")
