"""Videos through the caption job: a row a moment, in the order of time, and what the sound track says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from batch.base import JobReport
from batch.local import LocalEngine
from captioning.base import Captioner, Clip, Moment, Picture, Words
from captioning.doubles import SlowCaptioner
from captioning.job import NO_TRANSCRIBER, CaptionJobConfig, caption_catalog, load_captions
from captioning.moments import heard_row, key_frames, read_moments
from captioning.pixels import PixelsCaptioner
from captioning.speech.base import Transcript, Word
from catalog.columns import CAPTIONS, INTERACTIONS
from catalog.media import FrameBudget
from catalog.nouns import Caption, Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.item_text import item_text

RATE = 16_000


def write_film(path: Path, colours: Sequence[tuple[int, int, int]], sound: NDArray[np.float32] | None = None) -> None:
    """Two seconds of each colour behind a striped box, at ten frames a second, and a sound track."""
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        film.width, film.height, film.pix_fmt = 96, 64, "yuv420p"
        track = None
        if sound is not None:
            track = container.add_stream("aac", rate=RATE)
            track.codec_context.layout = "mono"
        for at in range(20 * len(colours)):
            pixels = np.full((64, 96, 3), colours[at // 20], np.uint8)
            pixels[16:40, 30:54:2] = 128
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 10)
            container.mux(film.encode(frame))
        container.mux(film.encode())
        if track is not None and sound is not None:
            for start in range(0, len(sound), 1024):
                part = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
                part.sample_rate, part.pts, part.time_base = RATE, start, Fraction(1, RATE)
                container.mux(track.encode(part))
            container.mux(track.encode())


class LoudnessTranscriber:
    """Hears the same words wherever it is loud, from the first loud moment on."""

    name, model, settings_sha = "loud", "loudness-double", "sha-1"

    def __init__(self) -> None:
        self.lengths: list[float] = []

    def transcribe(self, samples: NDArray[np.float32]) -> Transcript:
        self.lengths.append(len(samples) / RATE)
        loud = np.flatnonzero(np.abs(samples) > 0.1)
        if not len(loud):
            return Transcript(None, reason="silence")
        start = float(loud[0]) / RATE
        return Transcript('Look, the "lid" opens', "en", (Word("Look,", start, start + 0.2),))


class Teller:
    """Tells of a clip what it was given."""

    name, model, prompt_sha = "teller", "teller-double", "prompt-1"

    def __init__(self, moments: Sequence[Moment] = ()) -> None:
        self.clips: list[Clip] = []
        self._moments = tuple(moments)

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        return [Words("A picture.") for _ in pictures]

    def caption_video(self, clip: Clip) -> Words:
        self.clips.append(clip)
        return Words("A bag.", moments=self._moments)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A shop with one film: two seconds red, two blue, two red; a tone from 2.5 s on."""
    tone = np.zeros(6 * RATE, np.float32)
    tone[int(2.5 * RATE) :] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(3.5 * RATE)) / RATE)
    write_film(tmp_path / "film.mp4", [(200, 30, 30), (30, 30, 200), (200, 30, 30)], tone)
    write_film(tmp_path / "mute.mp4", [(30, 160, 60)])
    write_film(tmp_path / "still.mp4", [(60, 160, 30)], np.zeros(2 * RATE, np.float32))
    items = [Item(name, videos=(f"{name}.mp4",)) for name in ("film", "mute", "still")]
    save_shop(Workspace(tmp_path), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return tmp_path


def caption(store: Path, captioner: Captioner, transcriber: LoudnessTranscriber | None = None) -> JobReport:
    config = CaptionJobConfig(batch_size=4, workers=1, video=FrameBudget(frames=6))
    return caption_catalog(Workspace(store), captioner, engine=LocalEngine(), config=config, transcriber=transcriber)


def rows(store: Path, name: str, item: str = "film") -> list[tuple[float | None, str]]:
    return [(each.frame_time, each.text) for each in load_captions(Workspace(store), name)[item]]


def test_who_reads_pictures_only_is_shown_one_frame_a_scene(store: Path) -> None:
    caption(store, SlowCaptioner())
    found = rows(store, "slow")
    assert [time for time, _ in found] == pytest.approx([1.5, 3.5, 5.5])  # the later of two frames of each
    reds = [int(text.split()[-3]) for _, text in found]
    assert reds[0] > 150 > 60 > reds[1] and reds[2] > 150
    assert len(rows(store, "slow", "mute")) == 1
    table = pl.read_parquet(Workspace(store).path("captions/slow") / "captions.parquet")
    assert dict(table.schema) == dict(pl.Schema(CAPTIONS)) and table["media_sha"].null_count() == 0


def test_the_item_text_tells_the_moments_in_order_and_each_sentence_once(store: Path) -> None:
    class Namer(SlowCaptioner):
        name = "namer"

        def caption(self, pictures: Sequence[Picture]) -> list[Words]:
            red = [each.image.resize((1, 1)).getpixel((0, 0))[0] > 100 for each in pictures]  # type: ignore[index]
            return [Words("A bag. It is red." if each else "A bag. It is blue.") for each in red]

    caption(store, Namer(), LoudnessTranscriber())
    captions: tuple[Caption, ...] = load_captions(Workspace(store), "namer")["film"]
    assert item_text(Item("film"), captions, parts=("captions",)) == (
        "0:01 A bag. It is red. 0:02 heard: \"Look, the 'lid' opens\". 0:03 It is blue."
    )


def test_a_reader_of_videos_gets_the_clip_whole_with_its_truth(store: Path) -> None:
    teller = Teller([Moment(5.5, "It closes."), Moment(1.5, "It opens.")])
    report = caption(store, teller)
    clip = next(each for each in teller.clips if each.media == "film.mp4")
    assert clip.times == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]) and clip.numbers == (5, 15, 25, 35, 45, 55)
    assert (clip.seconds, clip.rate, clip.heard) == (pytest.approx(6), pytest.approx(10), None)
    assert rows(store, "teller") == [(None, "A bag."), (1.5, "It opens."), (5.5, "It closes.")]
    assert report.meta["sound_tracks"] == NO_TRANSCRIBER


def test_the_sound_track_is_a_row_of_its_own_and_told_to_the_reader(store: Path) -> None:
    teller, listener = Teller(), LoudnessTranscriber()
    report = caption(store, teller, listener)
    assert report.meta["sound_tracks"] == "loudness-double"
    assert sorted(listener.lengths) == pytest.approx([2, 6], abs=0.1)  # a film without a track is not listened to
    whole, heard = load_captions(Workspace(store), "teller")["film"]
    assert (whole.text, whole.frame_time, whole.model) == ("A bag.", None, "teller-double")
    assert heard.text == "heard: \"Look, the 'lid' opens\"" and heard.frame_time == pytest.approx(2.5, abs=0.1)
    assert (heard.model, heard.prompt_sha, heard.media_sha) == ("loudness-double", "sha-1", whole.media_sha)
    said = {clip.media: clip.heard for clip in teller.clips}
    assert said == {"film.mp4": 'Look, the "lid" opens', "mute.mp4": None, "still.mp4": None}
    assert rows(store, "teller", "still") == rows(store, "teller", "mute") == [(None, "A bag.")]


def test_another_transcriber_or_other_settings_make_other_captions_of_videos_only(store: Path) -> None:
    Image.new("RGB", (40, 40)).save(store / "a.png")
    items = [Item("film", images=("a.png",), videos=("film.mp4",))]
    save_shop(Workspace(store), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    assert caption(store, Teller()).done == 2
    listener = LoudnessTranscriber()
    assert (first := caption(store, Teller(), listener)).done == 1 and first.reused == 1
    assert caption(store, Teller(), listener).done == 0
    listener.settings_sha = "sha-2"  # type: ignore[misc]
    assert caption(store, Teller(), listener).done == 1
    assert caption(store, Teller()).done == 0  # the silent ones are still kept


def test_one_frame_that_is_no_caption_costs_its_row_and_all_of_them_the_video(store: Path) -> None:
    class Refusing(SlowCaptioner):
        name = "refusing"

        def __init__(self, refuses: Callable[[float], bool], retryable: bool = False) -> None:
            super().__init__()
            self._refuses, self._retryable = refuses, retryable

        def caption(self, pictures: Sequence[Picture]) -> list[Words]:
            no = Words(None, "refusal: no", retryable=self._retryable)
            return [no if self._refuses(each.frame_time or 0.0) else Words("A bag.") for each in pictures]

    everything = caption(store, Refusing(lambda time: True))
    assert everything.failures == {"refusal": 3} and everything.done == 0
    later = caption(store, Refusing(lambda time: 2 < time < 4, retryable=True))
    assert later.failures == {"refusal": 1} and later.done == 2
    one = caption(store, Refusing(lambda time: 2 < time < 4))
    assert one.failures == {} and [time for time, _ in rows(store, "refusing")] == pytest.approx([1.5, 5.5])


def test_pixels_says_what_moves_once(store: Path) -> None:
    caption(store, PixelsCaptioner())
    [(time, text)] = rows(store, "pixels")
    assert time is None and "film" in text


def picture(seconds: float) -> Picture:
    return Picture("a", "a.mp4", Image.new("RGB", (4, 4)), seconds)


def test_key_frames_are_the_middle_ones_of_scenes_that_have_any() -> None:
    frames = [picture(seconds) for seconds in (0.5, 1.0, 1.5, 6.0, 9.0, 9.5)]
    found = key_frames(frames, (0.0, 4.0, 7.0, 7.5, 9.0))
    assert [each.frame_time for each in found] == [1.0, 6.0, 9.5]
    assert key_frames(frames[:1], ()) == frames[:1]


TIMES = (1.0, 3.0, 5.0)


@pytest.mark.parametrize(
    ("answer", "moments"),
    [
        ([{"seconds": 3.4, "shows": "Open"}, {"seconds": 0, "shows": "A bag"}], [(1.0, "A bag."), (3.0, "Open.")]),
        ([{"seconds": "0:04.6", "shows": "Shut!"}, {"seconds": "3 s", "shows": "Up"}], [(3.0, "Up."), (5.0, "Shut!")]),
        ([{"seconds": 3.1, "shows": "One"}, {"seconds": 2.9, "shows": "Two\n"}, {"seconds": 3, "shows": "One"}],
         [(3.0, "One. Two.")]),
        ([{"seconds": 400, "shows": "Made up"}, {"seconds": -1, "shows": "Before"}], []),
        ([{"seconds": float("nan"), "shows": "A"}, {"seconds": True, "shows": "B"}, {"shows": "C"}], []),
        ([{"seconds": 1}, "text", None, {"seconds": 1, "shows": "  "}, {"seconds": "soon", "shows": "A"}], []),
        ({"seconds": 1, "shows": "A"}, []),
        (None, []),
    ],
)  # fmt: skip
def test_moments_of_an_answer_move_to_true_frame_times(answer: object, moments: list[tuple[float, str]]) -> None:
    found = read_moments(answer, TIMES, 6.0)
    assert [(moment.seconds, moment.shows) for moment in found] == moments


def test_nothing_heard_is_no_row() -> None:
    assert heard_row(Transcript(None, reason="music"), "m", "s") is None
    assert heard_row(Transcript("  "), "m", "s") is None
    assert heard_row(Transcript("Hi\x1b[31m"), "m", "s") is not None
