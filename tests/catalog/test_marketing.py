from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from catalog.columns import IMPRESSIONS
from catalog.errors import DataError, NotBuiltError
from catalog.marketing import Marketing, MarketingMedia, early_line, load_marketing, media_frame, save_marketing
from catalog.workspace import Workspace

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
FILMS = [
    MarketingMedia("a", "a.mp4", "Look closer", "spring", ("v1", "v2"), NOON),
    MarketingMedia("b", "https://example.org/b.mp4"),
]


def impressions(*rows: tuple[str, str | None, datetime, bool]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=IMPRESSIONS, orient="row")


def test_a_shop_s_films_come_back_as_they_were_saved(tmp_path):
    seen = impressions(("a", "u1", NOON, True), ("a", None, NOON + timedelta(hours=1), False))
    key = save_marketing(Workspace(tmp_path), Marketing(media_frame(FILMS), seen))
    found = load_marketing(Workspace(tmp_path))
    assert found.nouns() == FILMS
    assert found.impressions.equals(seen)
    manifest = Workspace(tmp_path).manifest("marketing")
    assert manifest is not None and manifest.key == key
    assert {name: manifest.meta[name] for name in ("media", "impressions", "clicks")} == {
        "media": 2, "impressions": 2, "clicks": 1,
    }  # fmt: skip


def test_counts_are_those_before_a_moment_and_films_nobody_saw_count_nothing():
    seen = impressions(("a", "u1", NOON, True), ("a", "u2", NOON, False), ("a", "u3", NOON + timedelta(days=1), True))
    marketing = Marketing(media_frame(FILMS), seen)
    assert marketing.counts().rows() == [("a", 3, 2), ("b", 0, 0)]
    assert marketing.counts(NOON + timedelta(days=1)).rows() == [("a", 2, 1), ("b", 0, 0)]


def test_impressions_from_before_their_film_was_published_are_counted_and_told():
    hour = timedelta(hours=1)
    seen = impressions(
        ("a", "u1", NOON - hour, True), ("a", "u2", NOON - hour, False), ("a", "u3", NOON, True),
        ("b", "u1", NOON - hour, True),
    )  # fmt: skip
    marketing = Marketing(media_frame(FILMS), seen)  # `b` has no date
    assert marketing.early() == (2, 1) and marketing.early(NOON - hour) == (0, 0)
    (line,) = early_line(*marketing.early())
    assert line.startswith("2 impressions (1 clicked) are dated before their film was published")
    assert early_line(0, 0) == []


@pytest.mark.parametrize(
    ("films", "rows", "said"),
    [
        ([FILMS[0], FILMS[0]], [], "media_id 'a' stands"),
        (FILMS, [("c", "u", NOON, True)], "unknown media_id 'c' (of 2 known)"),
    ],
)
def test_what_does_not_hang_together_is_refused_by_name(films, rows, said):
    with pytest.raises(DataError) as refused:
        Marketing(media_frame(films), impressions(*rows))
    assert said in str(refused.value)


def test_other_columns_are_refused():
    with pytest.raises(DataError, match="marketing impressions: columns media_id; media_id, user_id, timestamp"):
        Marketing(media_frame(FILMS), impressions().select("media_id"))


def test_a_store_without_films_says_how_to_get_some(tmp_path):
    with pytest.raises(NotBuiltError, match="vitrine import marketing"):
        load_marketing(Workspace(tmp_path))
    with pytest.raises(DataError, match="no medium was read"):
        save_marketing(Workspace(tmp_path), Marketing(media_frame([]), impressions()))
