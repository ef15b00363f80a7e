"""The two steps of the caption job: a medium is decoded, and a batch of media put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from batch.base import Piece, Result, Usage
from batch.job import JobConfig
from captioning.base import Captioner, Clip, Picture, VideoCaptioner, Words
from captioning.moments import heard_row, in_order, key_frames, row
from captioning.speech.base import Floats, Transcriber, Transcript
from catalog.errors import MediaError
from catalog.media import FrameBudget, MediaLimits, open_picture, read_sound, sample_clip
from catalog.shown import shown_url


class CaptionJobConfig(JobConfig):
    """Which media are captioned, and how the job runs."""

    images_per_item: int = Field(4, ge=0)
    """Pictures of one item that are captioned, in the catalogue's order."""
    videos_per_item: int = Field(1, ge=0)
    """Videos of one item that are captioned."""
    video: FrameBudget = FrameBudget()
    """How much of a video is looked at."""
    sound_seconds: float = Field(600.0, ge=0)
    """Of a video's sound, this much from its start is transcribed where there is a speech model; 0: none. Changes the
    captions of videos."""
    fetch: bool = True
    """Whether media named by URL are brought first, as `vitrine media` does, by `vitrine embed` too. Changes no
    caption."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded, and on what is brought by URL."""

    def of_videos(self, transcriber: Transcriber | None) -> dict[str, Any]:
        """Return what changes the captions of a video, as its content key takes it."""
        heard = None
        if transcriber is not None and self.sound_seconds:
            heard = [transcriber.model, transcriber.settings_sha, self.sound_seconds]
        return {**self.video.model_dump(exclude={"decode_seconds"}), "heard": heard}


@dataclass(frozen=True, slots=True)
class Medium:
    """One picture or video of one item; `sha` hashes its bytes."""

    item_id: str
    ref: str
    kind: Literal["image", "video"]
    sha: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A medium, ready for the captioner.

    Attributes:
        medium: Which.
        shown: Its picture; the key frames of a video; or a clip, for who reads those.
        sound: Its sound track, where there is one and somebody who listens.
    """

    medium: Medium
    shown: tuple[Picture, ...] | Clip
    sound: Floats | None = None


class Reader:
    """Decodes media and hands them to the captioner; faults of one piece become its failure."""

    def __init__(
        self, root: Path, captioner: Captioner, config: CaptionJobConfig, transcriber: Transcriber | None = None
    ) -> None:
        self._root = root
        self._captioner = captioner
        self._config = config
        self._transcriber = transcriber

    def prepare(self, piece: Piece) -> Decoded:
        """Read one medium.

        Raises:
            MediaError: When it cannot be decoded.
        """
        medium = Medium(str(piece.label["item_id"]), str(piece.label["media"]), **piece.payload)
        if medium.kind == "image":
            image = open_picture(medium.ref, self._root, self._config.media)
            return Decoded(medium, (Picture(medium.item_id, medium.ref, image),))
        video = sample_clip(medium.ref, self._root, self._config.media, self._config.video)
        frames = tuple(Picture(medium.item_id, medium.ref, image, seconds) for seconds, image in video.frames)
        if isinstance(self._captioner, VideoCaptioner):
            clip = Clip(medium.item_id, medium.ref, frames, video.numbers, video.seconds, video.rate)
            return Decoded(medium, clip, self._sound(medium))
        return Decoded(medium, tuple(key_frames(frames, video.scene_starts)), self._sound(medium))

    def infer(self, batch: Sequence[Decoded]) -> list[Result]:
        """Put a batch into words; pictures go to the captioner together, and so do clips where it takes several."""
        heard = [self._heard(each) for each in batch]
        pictures = [picture for each in batch if isinstance(each.shown, tuple) for picture in each.shown]
        clips = [
            replace(each.shown, heard=said.text) if said is not None else each.shown
            for each, said in zip(batch, heard, strict=True)
            if isinstance(each.shown, Clip)
        ]
        of_pictures, of_clips = self._of_pictures(pictures, len(batch)), self._of_clips(clips)
        results = []
        for each, said in zip(batch, heard, strict=True):
            if isinstance(each.shown, Clip):
                words = next(of_clips)
                rows = [self._row(words.text, None)] if words.text is not None else []
                if rows:
                    rows += [self._row(moment.shows, moment.seconds) for moment in words.moments]
                results.append(self._result(each.medium, [words], rows, said))
            else:
                told = [next(of_pictures) for _ in each.shown]
                rows = [
                    self._row(words.text, picture.frame_time)
                    for words, picture in zip(told, each.shown, strict=True)
                    if words.text is not None
                ]
                results.append(self._result(each.medium, told, rows, said))
        return results

    def _of_pictures(self, pictures: Sequence[Picture], at_once: int) -> Iterator[Words]:
        # The key frames of many videos may be many more than one batch.
        for start in range(0, len(pictures), at_once):
            yield from self._captioner.caption(pictures[start : start + at_once])

    def _of_clips(self, clips: Sequence[Clip]) -> Iterator[Words]:
        several = getattr(self._captioner, "caption_videos", None)
        if clips and several is not None:
            yield from several(clips)
        elif clips:
            assert isinstance(self._captioner, VideoCaptioner)
            yield from map(self._captioner.caption_video, clips)

    def _sound(self, medium: Medium) -> Floats | None:
        if self._transcriber is None or not self._config.sound_seconds:
            return None
        try:
            return read_sound(medium.ref, self._root, self._config.media, seconds=self._config.sound_seconds)
        except MediaError:  # no sound track, or a broken one: nothing is heard
            return None

    def _heard(self, decoded: Decoded) -> Transcript | None:
        if self._transcriber is None or decoded.sound is None:
            return None
        return self._transcriber.transcribe(decoded.sound)

    def _row(self, text: str, frame_time: float | None) -> dict[str, Any]:
        return row(text, self._captioner.model, self._captioner.prompt_sha, frame_time)

    def _result(
        self, medium: Medium, told: Sequence[Words], rows: Sequence[dict[str, Any]], said: Transcript | None
    ) -> Result:
        usage = reduce(add, (words.usage for words in told if words.usage is not None), Usage())
        spent = usage if usage != Usage() else None
        failed = [words for words in told if words.text is None]
        # One frame that is no caption costs its row; one that may succeed later is no reason to go without it.
        if failed and (not rows or any(words.retryable for words in failed)):
            failure = failed[0].failure or "empty: the captioner said nothing"
            return Result.failed(failure.split(":", 1)[0], f"{shown_url(medium.ref)!r}: {failure}", spent)
        every = list(rows)
        if said is not None and self._transcriber is not None:
            heard = heard_row(said, self._transcriber.model, self._transcriber.settings_sha)
            every += [heard] if heard is not None else []
        faults = [fault for words in told for fault in words.faults]
        return Result({"rows": in_order(every), "media_sha": medium.sha, "faults": faults}, usage=spent)
