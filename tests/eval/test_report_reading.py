"""Reports that another hand has been at: the project's own error with the place, or a comparison; never a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eval.compare
from catalog.errors import DataError
from catalog.plain_text import plain_lines
from eval.compare import compare
from eval.intervals import Interval, Paired
from eval.report_reading import read_reports

N_USERS = 6
VALUES = np.array([0.0, 1.0, 0.5, 0.25, 0.25, 1.0])
REPORT: dict[str, Any] = {
    "dataset": "board", "protocol": "last", "data_key": "k", "n_users": N_USERS, "label": "generated",
    "models": {
        "popularity": {"metrics": {"ndcg@20": {"mean": 0.5, "ci95": [0.4, 0.6], "seeds": None},
                                   "coverage@20": {"mean": 0.1, "ci95": [0.1, 0.1], "seeds": None}}, "epochs": 1},
        "ease": {"metrics": {"coldrecall@20": {"mean": None, "ci95": [None, None]}}, "epochs": [1, 2]},
    },
    "split": {"source": "last of each user", "seed": 0}, "per_user": "r.npz",
}  # fmt: skip
ARRAYS = {"popularity\tndcg@20": VALUES, "ease\tcoldrecall@20": np.full(N_USERS, np.nan)}
DELETED = object()


def places(tree: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*before, key)
        yield from places(value, (*before, key))


def changed(place: tuple[Any, ...], value: object) -> dict[str, Any]:
    tree = copy.deepcopy(REPORT)
    inner: Any = tree
    for key in place[:-1]:
        inner = inner[key]
    if value is DELETED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return tree


def write(path: Path, report: object, arrays: dict[str, Any] | None = None) -> Path:
    np.savez(path.with_name("r.npz"), allow_pickle=False, **(ARRAYS if arrays is None else arrays))
    path.write_text(json.dumps(report))
    return path


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested is what is read, not how sure a difference is."""
    nothing = Paired(Interval(0.0, 0.0, 0.0), 1.0)
    monkeypatch.setattr(eval.compare, "paired_test", lambda a, b, seed: nothing if a.shape == b.shape else None)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    (tmp_path / "other").mkdir()
    return write(tmp_path / "other" / "r.json", REPORT)


VALUES_PUT = {
    "deleted": DELETED, "null": None, "text": "zzz", "number": 7, "negative": -1.5, "list": [1], "object": {"a": 1},
    "true": True, "empty text": "", "empty list": [], "empty object": {}, "huge": 10**400, "infinite": float("inf"),
    "lone surrogate": "\ud800", "path": "../../etc/passwd", "reports": {"reports": [None]},
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES_PUT.values(), ids=VALUES_PUT)
def test_any_entry_may_be_gone_null_or_of_the_wrong_kind(tmp_path: Path, other: Path, value: object) -> None:
    refused = 0
    for place in places(REPORT):
        edited = write(tmp_path / "r.json", changed(place, value))
        for first, second, anyway in ((edited, other, False), (other, edited, True)):
            try:
                text = compare(read_reports(first), read_reports(second), anyway=anyway, width=80)
            except DataError as error:
                assert str(error).isprintable() and len(str(error)) < 700
                refused += 1
            else:
                assert plain_lines(text).encode()
    assert refused


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("models", "popularity"), None, ": models.popularity has no metrics"),
        (("models", "popularity", "metrics"), DELETED, ": models.popularity has no metrics"),
        (("models", "popularity", "metrics"), None, ": models.popularity has no metrics"),
        (("models", "popularity", "metrics", "ndcg@20", "mean"), DELETED, "metrics.ndcg@20 has no mean"),
        (("models", "popularity", "metrics", "ndcg@20", "mean"), "zzz", "mean is 'zzz'; a number or null would be"),
        (("models",), {}, " has no models"),
        (("split",), None, ": split is None; an object would be valid"),
        (("n_users",), -1, ": n_users is -1; a whole number from 0 would be valid"),
        (("per_user",), "../r.npz", "per_user is '../r.npz'; the name of an .npz file beside it would be valid"),
    ],
)
def test_the_error_names_the_place(tmp_path: Path, place: tuple[str, ...], value: object, said: str) -> None:
    path = write(tmp_path / "r.json", changed(place, value))
    with pytest.raises(DataError) as refused:
        read_reports(path)
    assert str(refused.value).startswith(f"report {str(path)!r}") and said in str(refused.value)


@pytest.mark.parametrize("whole", [[], [1], 5, None, "x", {"reports": 5}, {"reports": "x"}, {"reports": [REPORT, 5]}])
def test_what_is_no_report_at_all(tmp_path: Path, whole: object) -> None:
    with pytest.raises(DataError, match=r"has no models|a list would be valid"):
        read_reports(write(tmp_path / "r.json", whole))


def test_brackets_without_end_are_no_report(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="is not JSON"):
        read_reports(tmp_path / "r.json")


def without(name: str) -> dict[str, Any]:
    return {key: values for key, values in ARRAYS.items() if key != name}


ARRAYS_PUT: dict[str, tuple[dict[str, Any], str]] = {
    "missing": (without("popularity\tndcg@20"), "'popularity' by 'ndcg@20' has no values"),
    "short": ({**ARRAYS, "popularity\tndcg@20": VALUES[:-1]}, r"shape \(5,\) and type float64, where \(6,\) floats"),
    "square": ({**ARRAYS, "popularity\tndcg@20": np.ones((6, 6))}, r"shape \(6, 6\)"),
    "text": ({**ARRAYS, "popularity\tndcg@20": np.array(["a"] * 6)}, "type <U1"),
    "one nan": ({**ARRAYS, "popularity\tndcg@20": np.where(VALUES == 1, np.nan, VALUES)}, "a mean of 0.25 beside"),
    "all nan": ({**ARRAYS, "popularity\tndcg@20": np.full(6, np.nan)}, "a mean of None beside the report's 0.5"),
    "another run's": ({**ARRAYS, "popularity\tndcg@20": VALUES / 2}, "a mean of 0.25 beside the report's 0.5"),
    "a value for nobody": ({**ARRAYS, "ease\tcoldrecall@20": VALUES}, "a mean of 0.5 beside the report's None"),
}


@pytest.mark.parametrize(("arrays", "said"), ARRAYS_PUT.values(), ids=ARRAYS_PUT)
def test_values_that_are_not_those_of_the_report_are_refused(
    tmp_path: Path, other: Path, arrays: dict[str, Any], said: str
) -> None:
    edited = write(tmp_path / "r.json", REPORT, arrays)
    with pytest.raises(DataError, match=said) as refused:
        compare(read_reports(edited), read_reports(other))
    assert str(tmp_path / "r.npz") in str(refused.value) and "anew by vitrine eval" in str(refused.value)


def damages(whole: bytes) -> Iterator[bytes]:
    yield from (b"", b"PK", b"not a zip", whole[: len(whole) // 2], whole + b"more")
    for at in range(0, len(whole), 3):
        yield whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


def test_a_damaged_file_of_values_is_the_projects_own_error_or_does_no_harm(tmp_path: Path, other: Path) -> None:
    edited = write(tmp_path / "r.json", REPORT)
    kept = tmp_path / "r.npz"
    whole, refused = kept.read_bytes(), 0
    good = compare(read_reports(edited), read_reports(other))

    def attempt(write: Callable[[], object]) -> int:
        write()
        try:
            assert compare(read_reports(edited), read_reports(other)) == good
        except DataError as error:
            assert str(kept) in str(error)
            return 1
        return 0

    for damaged in damages(whole):
        refused += attempt(lambda damaged=damaged: kept.write_bytes(damaged))  # type: ignore[misc]
    assert refused > 100
    with kept.open("wb") as file:
        np.save(file, VALUES)
    assert attempt(lambda: None), "one array is no file of named ones"
    assert attempt(lambda: np.savez(kept, np.array([{}], object))), "nothing is unpickled"
