from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import DataError, NotFoundError, did_you_mean
from catalog.ids import IdMap


def test_rows_are_positions_and_ids_stay_verbatim() -> None:
    ids = IdMap(["007", "7", " x "])
    assert (ids.row("7"), ids.get("007"), ids.get("07"), len(ids), "007" in ids) == (1, 0, None, 3, True)
    assert list(ids) == ["007", "7", " x "] == ids.at([0, 1, 2])
    assert ids.rows(["7", "007", "7"]).tolist() == [1, 0, 1] and ids.rows(["7"]).dtype == np.int64


def test_unknown_ids_become_what_is_asked_or_raise() -> None:
    ids = IdMap(["a"], "user")
    assert ids.rows(["b", "a"], missing=-1).tolist() == [-1, 0]
    with pytest.raises(NotFoundError, match=r"unknown user 'b' \(of 1 known\)"):
        ids.rows(["a", "b"])


def test_a_duplicate_or_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="item id 'a' stands at rows 0 and 2"):
        IdMap(["a", "b", "a"])
    with pytest.raises(DataError, match="user id 7 at row 1 is not a string"):
        IdMap(["a", 7], "user")  # type: ignore[list-item]


def test_equality_and_hash_are_of_the_ids_in_order() -> None:
    assert IdMap(["a", "b"]) == IdMap(["a", "b"], "user") != IdMap(["b", "a"])
    assert IdMap(["ab", "c"]).sha() != IdMap(["a", "bc"]).sha()
    assert IdMap(["ab", "c"]).sha() == IdMap(iter(["ab", "c"])).sha()


def test_did_you_mean() -> None:
    assert did_you_mean("lirdrek", ["itemknn", "lirdrec"]) == "Did you mean 'lirdrec'? Available: itemknn, lirdrec"
    assert did_you_mean("x", []) == "Available: none"
