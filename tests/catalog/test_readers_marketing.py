from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import DataError
from catalog.readers.marketing import read_marketing


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for name in ("one.mp4", "two.mp4"):
        written(tmp_path, name, "not looked at yet")
    return written(
        tmp_path, "ads.csv",
        "ad_id,file,name,campaign,products,start_date\n"
        "1,one.mp4,First,spring,v1|v2,2025-03-01\n2,two.mp4,,,,\n1,two.mp4,again,,,\n3,three.mp4,,,,\n,one.mp4,,,,\n",
    )  # fmt: skip


def test_films_are_understood_by_common_names_and_bad_rows_kept_apart(films, tmp_path):
    read = read_marketing(films)
    first, second = read.marketing.nouns()
    assert (first.media_id, first.title, first.campaign, first.item_ids) == ("1", "First", "spring", ("v1", "v2"))
    assert Path(first.video) == tmp_path / "one.mp4" and first.published_at == datetime(2025, 3, 1, tzinfo=UTC)
    assert (second.title, second.campaign, second.item_ids, second.published_at) == (None, None, (), None)
    assert dict(read.rejects.counts) == {"repeated media id": 1, "missing video": 1, "missing media_id": 1}
    assert len(read.marketing.impressions) == 0
    assert read.text().startswith("marketing: 2 media, 0 impressions, 0 clicks\n3 rows rejected")


def seen_csv(folder: Path) -> Path:
    return written(
        folder, "seen.csv",
        "ad_id,time,clicked,visitor_id\n2,2025-03-02T10:00:00Z,yes,u1\n1,1740900000,0,\n"
        "9,2025-03-02,1,u1\n1,soon,1,u1\n1,2025-03-02,perhaps,u1\n",
    )  # fmt: skip


def seen_jsonl(folder: Path) -> Path:
    rows = [
        {"ad_id": 2, "time": "2025-03-02T10:00:00Z", "clicked": True, "visitor_id": "u1"},
        {"ad_id": "1", "time": 1740900000, "clicked": 0},
        {"ad_id": "9", "time": "2025-03-02", "clicked": 1},
        {"ad_id": "1", "time": "soon", "clicked": 1},
        {"ad_id": "1", "time": "2025-03-02", "clicked": "perhaps"},
    ]
    return written(folder, "seen.jsonl", "\n".join(map(json.dumps, rows)))


def seen_parquet(folder: Path) -> Path:
    pl.read_csv(seen_csv(folder), infer_schema=False).write_parquet(folder / "seen.parquet")
    return folder / "seen.parquet"


@pytest.mark.parametrize("seen", [seen_csv, seen_jsonl, seen_parquet])
def test_impressions_come_in_the_order_of_time_from_every_form(films, tmp_path, seen):
    read = read_marketing(films, seen(tmp_path))
    assert read.marketing.impressions.rows() == [
        ("1", None, datetime(2025, 3, 2, 7, 20, tzinfo=UTC), False),
        ("2", "u1", datetime(2025, 3, 2, 10, tzinfo=UTC), True),
    ]
    told = {reason: read.rejects.counts[reason] for reason in ("unknown media id", "bad timestamp", "bad clicked")}
    assert told == {"unknown media id": 1, "bad timestamp": 1, "bad clicked": 1}


def test_a_map_names_other_columns_and_what_is_missing_is_said(films, tmp_path):
    seen = written(tmp_path, "log.csv", "which,when,hit\n1,2025-03-02,1\n")
    with pytest.raises(
        DataError, match=r"'log.csv' has no column for 'media_id' of impressions; its columns are which"
    ):
        read_marketing(films, seen)
    mapped = {"media_id": "which", "timestamp": "when", "clicked": "hit"}
    assert read_marketing(films, seen, mapped).marketing.impressions["clicked"].to_list() == [True]
    with pytest.raises(DataError, match=r"unknown target 'clickd' of marketing\. Did you mean 'clicked'"):
        read_marketing(films, seen, {**mapped, "clickd": "hit"})
    with pytest.raises(DataError, match=r"no table has 'whn' for 'timestamp'\. Did you mean 'when'"):
        read_marketing(films, seen, {**mapped, "timestamp": "whn"})
