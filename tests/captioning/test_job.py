import os
import signal
import subprocess
import sys
import time
from collections import Counter

import polars as pl
import pytest
from PIL import Image

from batch.local import LocalEngine
from captioning.base import Words
from captioning.doubles import SlowCaptioner
from captioning.job import CaptionJobConfig, caption_catalog, load_captions
from captioning.listing import MediaListing
from captioning.pixels import PixelsCaptioner
from catalog.columns import CAPTIONS, INTERACTIONS
from catalog.errors import DataError, NotBuiltError
from catalog.media import media_sha
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

N = 24


@pytest.fixture
def store(tmp_path):
    """A shop of N items with a picture each; the last picture is no picture, and one item has none."""
    root = tmp_path / "store"
    (root / "pictures").mkdir(parents=True)
    items = []
    for k in range(N):
        ref = f"pictures/{k}.png"
        Image.new("RGB", (16 + k, 20), (9 * k, 255 - 9 * k, 100)).save(root / ref)
        items.append(Item(f"i{k}", images=(ref,)))
    (root / "pictures" / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    items += [Item("broken", images=("pictures/broken.jpg",)), Item("gone", images=("none.jpg",)), Item("bare")]
    save_shop(Workspace(root), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return root


def caption(root, captioner, **changes):
    config = CaptionJobConfig(**{"batch_size": 4, "workers": 1, **changes})
    return caption_catalog(Workspace(root), captioner, engine=LocalEngine(), config=config)


def test_every_row_has_its_words_and_provenance(store):
    report = caption(store, SlowCaptioner())
    assert (report.done, report.failed, report.failures) == (N, 2, {"media": 2})
    assert report.meta["items_without_media"] == 1
    captions = load_captions(Workspace(store), "slow")
    [first] = captions["i3"]
    assert first.text.startswith("19 by 20 pixels, mean colour 27 228 100")
    assert (first.model, first.media) == ("slow-double", "pictures/3.png")
    assert first.prompt_sha == SlowCaptioner.prompt_sha
    assert first.media_sha == media_sha("pictures/3.png", store) and first.frame_time is None
    table = pl.read_parquet(Workspace(store).path("captions/slow") / "captions.parquet")
    assert dict(table.schema) == dict(pl.Schema(CAPTIONS))
    assert table["item_id"].to_list() == [f"i{k}" for k in range(N)]


def test_corrupt_pictures_and_refusals_are_failures_that_name_the_file(store):
    caption(store, SlowCaptioner(refuse=["pictures/5.png"]))
    failures = pl.read_parquet(Workspace(store).path("captions/slow") / "failures.parquet")
    by_item = {row["item_id"]: row for row in failures.iter_rows(named=True)}
    assert set(by_item) == {"i5", "broken", "gone"}
    assert by_item["i5"]["reason"] == "refusal" and "pictures/5.png" in by_item["i5"]["detail"]
    assert "none.jpg" in by_item["gone"]["detail"] and "broken.jpg" in by_item["broken"]["detail"]
    again = caption(store, SlowCaptioner())
    assert (again.done, again.reused, again.failed) == (1, N - 1, 2)


def test_the_same_picture_is_captioned_once_and_a_changed_one_again(store, tmp_path):
    diary = tmp_path / "diary"
    (store / "pictures" / "1.png").write_bytes((store / "pictures" / "0.png").read_bytes())
    caption(store, SlowCaptioner(diary=diary))
    assert len(diary.read_text().splitlines()) == N - 1
    Image.new("RGB", (99, 9)).save(store / "pictures" / "7.png")
    caption(store, SlowCaptioner(diary=diary))
    assert diary.read_text().splitlines()[N - 1 :] == ["i7 pictures/7.png"]


def test_another_model_shares_nothing(store):
    caption(store, SlowCaptioner())
    other = SlowCaptioner()
    other.model = "slow-double-2"
    assert caption(store, other).reused == 0


PROGRAM = """
import sys
from pathlib import Path
from batch.local import LocalEngine
from captioning.doubles import SlowCaptioner
from captioning.job import CaptionJobConfig, caption_catalog
from catalog.workspace import Workspace
store, diary = map(Path, sys.argv[1:3])
config = CaptionJobConfig(batch_size=2, workers=1, flush_rows=2)
caption_catalog(Workspace(store), SlowCaptioner(0.08, diary), engine=LocalEngine(), config=config)
"""


def test_killed_half_way_and_run_again_gives_the_same_bytes_and_does_only_the_rest(store, tmp_path):
    diary = tmp_path / "diary"
    job = subprocess.Popen([sys.executable, "-c", PROGRAM, str(store), str(diary)])
    deadline = time.monotonic() + 60
    while not diary.exists() or len(diary.read_text().splitlines()) < N // 2:
        assert time.monotonic() < deadline and job.poll() is None
        time.sleep(0.01)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    workspace = Workspace(store)
    assert not workspace.has("captions/slow")
    before = Counter(diary.read_text().splitlines())
    report = caption(store, SlowCaptioner(diary=diary), batch_size=2)
    # What was in flight or not yet in a shard, two chunks of two at most and one being written, is done twice.
    after = Counter(diary.read_text().splitlines())
    assert len(before) >= N // 2 and len(after) == N
    assert sum(after.values()) - N <= 6
    assert report.reused >= N // 2 - 6 and report.done + report.reused == N

    def data(root):
        folder = Workspace(root).path("captions/slow")
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    interrupted = data(store)
    for part in (store / "captions").rglob("*.parquet"):
        part.unlink()
    (store / "captions/slow/manifest.json").unlink()
    caption(store, SlowCaptioner(), batch_size=5, workers=2)
    assert data(store) == interrupted


def write_film(path, frames):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))


def test_a_video_is_one_row_that_says_what_moves(tmp_path, product):
    root = tmp_path / "store"
    root.mkdir()
    film = [product("solid", "box", shift=(-y, 0)) for y in (0, 30, 55, 60, 50, 25, 0, 30, 55, 60, 50, 25)]
    write_film(root / "hop.mp4", film)
    film[0].save(root / "still.png")
    shop = ShopData.of(
        "test", [Item("a", images=("still.png",), videos=("hop.mp4",))], pl.DataFrame(schema=INTERACTIONS)
    )
    save_shop(Workspace(root), shop)
    caption(root, PixelsCaptioner())
    still, moving = load_captions(Workspace(root), "pixels")["a"]
    assert still.media == "still.png" and "boxy" in still.text
    assert moving.media == "hop.mp4" and "bounces" in moving.text and moving.frame_time is None

    # A captioner that knows nothing of videos is shown the middle frame.
    caption(root, SlowCaptioner())
    _, middle = load_captions(Workspace(root), "slow")["a"]
    assert middle.text.startswith("480 by 480") and 0.4 < middle.frame_time < 1.2


def test_what_is_missing_is_one_clear_line(tmp_path):
    with pytest.raises(NotBuiltError, match="vitrine generate or vitrine import"):
        caption(tmp_path, SlowCaptioner())
    save_shop(Workspace(tmp_path), ShopData.of("test", [Item("a")], pl.DataFrame(schema=INTERACTIONS)))
    with pytest.raises(DataError, match="none of the 1 items has a picture or video"):
        caption(tmp_path, SlowCaptioner())
    with pytest.raises(NotBuiltError, match="vitrine caption"):
        load_captions(Workspace(tmp_path), "slow")


@pytest.mark.parametrize(
    ("images", "videos", "says"),
    [
        (0, 0, "captions.job.images_per_item and captions.job.videos_per_item are 0, so there is nothing"),
        (0, 1, "captions.job.images_per_item is 0, .* none of the 1 items has a video; 1 or more"),
    ],
)
def test_settings_that_leave_nothing_are_named(tmp_path, images, videos, says):
    save_shop(Workspace(tmp_path), ShopData.of("t", [Item("a", images=("a.png",))], pl.DataFrame(schema=INTERACTIONS)))
    with pytest.raises(DataError, match=says):
        MediaListing(Workspace(tmp_path), images, videos)


def test_a_captioner_that_says_nothing_is_a_failure(store):
    class Mute(SlowCaptioner):
        name = "mute"

        def caption(self, pictures):
            return [Words(None) for _ in pictures]

    assert caption(store, Mute()).failures == {"empty": N, "media": 2}
