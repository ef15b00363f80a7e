"""From a query's media to what the pipeline searches by: words, and vectors by space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from captioning.base import Clip, Picture, VideoCaptioner
from catalog.errors import MediaError, NotBuiltError, VitrineError
from catalog.media import SampledVideo
from catalog.vectors import Floats
from embedding.picture_job import picture_space
from embedding.video.frame_job import sequence_of
from tools.crossmodal.media import MediaQuery
from tools.crossmodal.spaces import FUSED, caption_spaces, modality_of, reached
from tools.shop import Shop
from tools.spaces import takes_words

Vectors = dict[str, Floats]


@dataclass(frozen=True)
class MediaWish:
    """What a query comes to.

    Attributes:
        words: Text and what was heard.
        vectors: By space, (d,), of length 1; what words become in spaces of words is the pipeline's business.
        heard: The transcript of the voice.
        seen: What was read from the picture or the film, as a caption.
        left_out: What could not be looked at, and why; the rest was searched all the same.
    """

    words: str | None = None
    vectors: Mapping[str, Floats] = field(default_factory=dict)
    heard: str | None = None
    seen: str | None = None
    left_out: tuple[str, ...] = ()


def wish_of(shop: Shop, query: MediaQuery) -> MediaWish:
    """Turn a query into words and vectors of every space it can reach.

    Raises:
        NotBuiltError: When nothing here can look at one of its media; the text names the command that helps.
        MediaError: When nobody is heard in a voice that is all there is.
    """
    return _Reader(shop).read(query)


class _Reader:
    """Reads one query; keeps what it had to leave out."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.senses = shop, shop.senses
        self.spaces = frozenset(reached(shop))
        self.left_out: list[str] = []
        self.seen: list[str] = []

    def read(self, query: MediaQuery) -> MediaWish:
        heard = self._heard(query) if query.voice is not None else None
        words = " ".join(part for part in (query.text, heard) if part) or None
        media: list[Vectors] = []
        if query.picture is not None:
            media.append(self._picture(query.picture))
        if query.video is not None:
            media.append(self._video(query.video))
        vectors = _sums(media)
        own = dict(vectors)
        if words and (self.senses.config.words_see or media):
            vectors = _sums([vectors, self._words_seen(words)])
        if fused := self._fused(own, words if vectors else None):
            vectors = {**vectors, **fused}
        seen = " ".join(self.seen) or None
        return MediaWish(words, vectors, heard, seen, tuple(self.left_out))

    def _heard(self, query: MediaQuery) -> str | None:
        try:
            transcriber = self.senses.transcriber.get()
        except VitrineError as error:
            raise NotBuiltError(f"voice: {error}") from error
        assert query.voice is not None
        found = transcriber.transcribe(query.voice)
        if found.text is None:
            told = f"voice: nothing was heard ({found.reason}); a recording of somebody who speaks would be valid"
            if not query.text and query.picture is None and query.video is None:
                raise MediaError(told)
            self.left_out.append(told)
        return found.text

    def _picture(self, picture: Image.Image) -> Vectors:
        return self._looked(
            "picture", [lambda: self._pictures([picture]), lambda: self._captioned(self._caption(picture))]
        )

    def _video(self, film: SampledVideo) -> Vectors:
        frames = [picture for _, picture in film.frames]
        return self._looked(
            "video",
            [
                lambda: self._film(film),
                lambda: self._pictures(frames),
                lambda: self._captioned(self._film_caption(film)),
            ],
        )

    def _looked(self, part: str, ways: Sequence[Callable[[], Vectors]]) -> Vectors:
        """Look in every way there is; what one lacks is noted, and refused only where no way is left."""
        found, faults = Vectors(), []
        for way in ways:
            try:
                found |= way()
            except VitrineError as error:
                faults.append(f"{part}: {error}")
        if not found:
            raise NotBuiltError(faults[0])
        self.left_out += faults
        return found

    def _pictures(self, pictures: Sequence[Image.Image]) -> Vectors:
        """Return the mean of pictures in the space of pictures."""
        embedder = self.senses.pictures.get()
        space = self._known(picture_space(embedder.name), "vitrine embed, then vitrine index")
        return {space: _unit(embedder.embed_images(pictures).mean(axis=0))}

    def _film(self, film: SampledVideo) -> Vectors:
        seeing = self.senses.films.get()
        space = self._known(seeing.encoder.space, "vitrine train video, then vitrine index")
        return {space: _unit(seeing.encoder.encode([sequence_of(film, seeing.frames)])[0])}

    def _caption(self, picture: Image.Image) -> str:
        return _said(self.senses.captioner.get().caption([Picture("", "upload", picture)])[0])

    def _film_caption(self, film: SampledVideo) -> str:
        """Say what the frame in the middle shows, and what moves."""
        captioner: Any = self.senses.captioner.get()
        said = [self._caption(film.frames[len(film.frames) // 2][1])]
        if isinstance(captioner, VideoCaptioner):
            frames = tuple(Picture("", "upload", picture, moment) for moment, picture in film.frames)
            clip = Clip("", "upload", frames, film.numbers, film.seconds, film.rate)
            said.append(_said(captioner.caption_video(clip)))
        return " ".join(said)

    def _captioned(self, caption: str) -> Vectors:
        """Return what a caption means in the spaces of captions, as an item's own does."""
        spaces = caption_spaces(self.shop)
        if not spaces:
            raise NotBuiltError("no space of captions: run vitrine caption, then vitrine embed and vitrine index")
        self.seen.append(caption)
        return dict.fromkeys(spaces, _unit(self.shop.embedder.embed([caption])[0]))

    def _words_seen(self, words: str) -> Vectors:
        """Return where words point among pictures; {} where no model knows both."""
        try:
            embedder = self.senses.pictures.get()
            space = self._known(picture_space(embedder.name), "vitrine embed, then vitrine index")
            return {space: _unit(embedder.embed_texts([words])[0])}
        except VitrineError:
            return {}  # words have spaces of their own; media without a model were told of already

    def _fused(self, own: Vectors, words: str | None) -> Vectors:
        """Return everything as one vector; {} where nothing was trained to, or it reads none of the media."""
        if FUSED not in self.spaces or not (own or words):
            return {}
        try:
            encoder = self.senses.fusion.get()
            said = self.shop.embedder.embed_queries([words])[0] if words else None
        except VitrineError as error:
            self.left_out.append(f"all of it as one: {error}")
            return {}
        known: Vectors = {role: own[space] for role, space in encoder.spaces.items() if space in own}
        if said is not None:
            known |= {
                role: np.asarray(said, np.float32) for role, space in encoder.spaces.items() if self._texts(space)
            }
        return {FUSED: _unit(encoder.encode(known)[0])} if known else {}

    def _texts(self, space: str) -> bool:
        """Whether a space holds what items say of themselves, in the embedder's own words."""
        return space in self.spaces and modality_of(space) == "text" and takes_words(self.shop, space)

    def _known(self, space: str, cure: str) -> str:
        if space not in self.spaces:
            raise NotBuiltError(f"the space {space!r} is not in the shop: run {cure}")
        return space


def _said(words: Any) -> str:
    if words.text is None:
        raise NotBuiltError(f"no caption ({words.failure})")
    return str(words.text)


def _sums(parts: Sequence[Vectors]) -> Vectors:
    """Return by space the direction of all the parts that have one."""
    return {
        space: _unit(np.sum([part[space] for part in parts if space in part], axis=0))
        for space in dict.fromkeys(space for part in parts for space in part)
    }


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / (np.linalg.norm(vector) or 1.0), np.float32)
