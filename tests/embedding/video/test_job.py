from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from batch.local import LocalEngine
from catalog.errors import ConfigError, DataError, NotBuiltError
from catalog.marketing import Marketing, load_marketing, save_marketing
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.learned import learned_rows
from embedding.video.audience import gather, item_counts
from embedding.video.config import VideoEncoderConfig
from embedding.video.encoder import HEAD, WEIGHTS, load_video_encoder
from embedding.video.frame_job import FrameJobConfig, embed_frames, load_frames
from embedding.video.job import FILMS, train_video
from embedding.video.ranking import rank_films
from embedding.video.thumbnail import Thumbnail

TINY = VideoEncoderConfig(
    components=4, width=8, heads=2, dim=4, queries=3, steps=40, folds=3, dropout=0.0,
    frames=FrameJobConfig(frames=4),
)  # fmt: skip


def train(store: Workspace, config: VideoEncoderConfig = TINY, seed: int = 1):
    return train_video(store, Thumbnail(), config, engine=LocalEngine(), seed=seed)


def test_films_of_unseen_campaigns_are_ranked_by_what_order_tells(store):
    report = train(store)
    assert report.meta["held_out"]["marketing"]["auc"] > 0.6  # 4 clicks in 10 against 1; shuffled it is 0.5
    assert "encoders/video: 12 films, learned from 12 of them with 1,200 impressions" in "\n".join(report.lines())
    ranked = rank_films(store)
    assert [int(film.film_id[1:]) % 2 for film in ranked] == [0] * 6 + [1] * 6
    first = ranked[0]
    assert first.low < first.rate < first.high and (first.clicks, first.impressions, first.new) == (40, 100, False)
    assert first.title == f"Film {first.film_id[1:]}"


def test_the_same_seed_gives_the_same_bytes_and_a_current_one_is_left_alone(store):
    first = train(store)
    files = {name: (store.path("encoders/video") / name).read_bytes() for name in (WEIGHTS, HEAD, FILMS)}
    assert first.made and not train(store).made
    store.remove("encoders/video")
    train(store)
    assert files == {name: (store.path("encoders/video") / name).read_bytes() for name in files}
    assert train(store, seed=2).made
    assert files[WEIGHTS] != (store.path("encoders/video") / WEIGHTS).read_bytes()


def test_a_loaded_encoder_gives_the_vectors_that_were_written(store):
    train(store)
    encoder, frames = load_video_encoder(store), load_frames(store, "thumbnail")
    table = EmbeddingTable.load(store.path("encoders/video") / "marketing", encoder.space)
    assert encoder.space == "video-thumbnail" and len(table.ids) == 12
    made = encoder.encode([frames["marketing", each] for each in table.ids])
    np.testing.assert_allclose(made, table.vectors, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    expected = encoder.engagement([frames["marketing", "m0"], frames["marketing", "m1"]])
    assert expected.rate[0] > expected.rate[1] and (expected.low < expected.rate).all()
    assert encoder.encode([]).shape == (0, 4)


def test_impressions_from_before_a_film_was_published_are_told(store):
    report = train(store)
    assert report.meta["early"] == (0, 0) and "published" not in "".join(report.lines())
    marketing = load_marketing(store)
    sooner = marketing.impressions.with_columns(pl.col("timestamp") - pl.duration(minutes=30))
    save_marketing(store, Marketing(marketing.media, sooner))
    assert "  360 impressions (90 clicked) are dated before their film was published" in "\n".join(
        train(store, seed=2).lines()
    )


def test_frames_of_another_width_are_refused(store):
    train(store)
    film = load_frames(store, "thumbnail")["marketing", "m0"]
    narrow = type(film)(film.vectors[:, :5], film.seconds, film.scenes, film.length)
    with pytest.raises(DataError, match=r"frame vectors of shape \(4, 5\); \(t, 237\) of the embedder 'thumbnail'"):
        load_video_encoder(store).encode([narrow])


def test_a_damaged_encoder_is_one_line(store):
    train(store)
    path = store.path("encoders/video") / WEIGHTS
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="run vitrine train video again"):
        load_video_encoder(store)


def test_films_added_since_are_ranked_as_new(store, film):
    train(store)
    film(store.root / "late.mp4", [(200, 40, 30), (30, 40, 200)])
    marketing = load_marketing(store)
    late = marketing.media.head(1).with_columns(
        pl.lit("late").alias("media_id"), pl.lit("late.mp4").alias("video"), pl.lit("Late").alias("title")
    )
    save_marketing(store, Marketing(pl.concat([marketing.media, late]), marketing.impressions))
    embed_frames(store, Thumbnail(), engine=LocalEngine(), config=TINY.frames)
    found = {each.film_id: each for each in rank_films(store)}
    assert found["late"].new and found["late"].impressions == 0 and found["late"].rate > found["m1"].rate


def test_marketing_alone_is_learned_from_unless_asked_so_that_the_log_may_judge(store, film, shop, logged):
    for name in ("one.mp4", "two.mp4"):
        film(store.root / name, [(200, 30, 30)])
    shop(store.root, {"v1": ("one.mp4",), "v2": ("two.mp4",)}, logged)
    report = train(store)
    assert report.meta["learned_from"] == ["marketing"] and report.meta["items"] == 2
    table = EmbeddingTable.load(store.path("embeddings/video-thumbnail"), "video-thumbnail")
    assert list(table.ids) == ["v1", "v2"]
    assert learned_rows(store, "video-thumbnail") is None
    both = train(store, TINY.model_copy(update={"item_films": True}))
    assert both.meta["learned_from"] == ["item", "marketing"]
    rows = learned_rows(store, "video-thumbnail")
    assert rows is not None and set(rows["item_id"]) <= {"v1", "v2"}


def test_a_click_counts_with_its_impression_only_and_before_the_moment_only(shop, tmp_path, logged, noon):
    log = shop(tmp_path, {"v1": ("one.mp4",), "v2": ()}, logged)
    with log.reading("catalog") as folder:
        table = pl.read_parquet(folder / "log.parquet")
    counted, rows = item_counts(table, ["v1", "v2", "v9"])
    # v1: shown in r1 (clicked twice: once), r2 and, without a request, to u3 (clicked); one click came from elsewhere.
    assert counted.rows() == [("v1", 3, 2), ("v2", 1, 0), ("v9", 0, 0)]
    assert len(rows) == 8
    assert item_counts(table, ["v1"], noon + timedelta(minutes=3))[0].rows() == [("v1", 2, 1)]


def test_nobody_was_shown_anything(store):
    media = load_marketing(store)
    save_marketing(store, Marketing(media.media, media.impressions.head(0)))
    with pytest.raises(DataError, match="none of the 12 films was shown to anybody; impressions of marketing media"):
        train(store)


def test_nobody_clicked(store):
    media = load_marketing(store)
    save_marketing(store, Marketing(media.media, media.impressions.with_columns(pl.lit(False).alias("clicked"))))
    with pytest.raises(DataError, match=r"impressions and 0 clicks are left to learn\s+from"):
        train(store)


def test_only_what_came_before_is_counted(store, noon):
    embed_frames(store, Thumbnail(), engine=LocalEngine())
    audience = gather(store, load_frames(store, "thumbnail"), noon + timedelta(minutes=10))
    assert audience.shown.tolist() == [10.0] * 12 and audience.clicks.tolist() == [4.0, 1.0] * 6
    assert len(set(audience.groups)) == 6


def test_an_encoder_that_was_never_trained_names_its_command(tmp_path):
    with pytest.raises(NotBuiltError, match="vitrine train video"):
        load_video_encoder(Workspace(tmp_path))


def test_what_is_said_of_it_is_plain_json(store):
    train(store)
    head = json.loads((store.path("encoders/video") / HEAD).read_text())
    assert head["embedder"] == "thumbnail" and set(head["calibrations"]) == {"marketing"}


def test_a_diverged_training_is_one_line_and_writes_no_encoder(store):
    for steps in (1, 40):  # found after the last step, and on the way
        with pytest.raises(ConfigError, match=r"^encoders.video: diverged at step \d+, .*learning_rate \(now 1e\+30"):
            train(store, TINY.model_copy(update={"learning_rate": 1e30, "steps": steps}))
    assert not store.has("encoders/video") and not store.names("embeddings")
