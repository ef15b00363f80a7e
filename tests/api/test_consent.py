from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from api.consent import CONSENT_FILE, store_secret
from catalog.errors import DataError


def test_all_who_open_a_store_in_one_moment_share_a_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        (found,) = set(pool.map(store_secret, [tmp_path] * 40))
    assert len(found) == 32 and store_secret(tmp_path) == found
    assert stat.S_IMODE((tmp_path / CONSENT_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [CONSENT_FILE]


def test_another_store_has_another(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert store_secret(tmp_path) != store_secret(tmp_path / "other")


@pytest.mark.parametrize("damage", ["", "00", "not hex at all", "é"])
def test_a_damaged_one_is_said(tmp_path: Path, damage: str) -> None:
    (tmp_path / CONSENT_FILE).write_text(damage)
    with pytest.raises(DataError, match=r"consent\.secret' is damaged: remove it"):
        store_secret(tmp_path)
