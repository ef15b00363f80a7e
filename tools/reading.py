"""What the shop makes of a record, as the batch jobs do: its media to words, its words and pictures to vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from batch.base import Piece
from captioning.base import Captioner
from captioning.reader import CaptionJobConfig, Reader
from catalog.errors import MediaError, VitrineError
from catalog.ids import IdMap
from catalog.media.refs import media_sha
from catalog.nouns import Caption, Item
from catalog.vectors import EmbeddingTable, Floats
from embedding.base import TextEmbedder
from embedding.item_text import Part, fit, item_parts
from embedding.tokens import TokenCounter
from tools.renewal import Change

log = logging.getLogger("vitrine.tools")

PictureVector = Callable[[Item], Floats | None]
"""An item to the unit vector (d,) of its pictures; None where it has none that could be read."""


class ItemReader(Protocol):
    """Makes of records what search and recommendations need."""

    def read(self, items: Sequence[Item]) -> Change:
        """Return records with their captions and vectors.

        What cannot be read is left out and said in the log: an item is sold whether or not its picture opens.
        """


@dataclass(frozen=True)
class Recipe:
    """How a space's texts are made; see `embedding.item_text.item_parts`.

    Attributes:
        parts: Of an item's text.
        budget_chars: Most characters, where the embedder cannot count tokens.
        counter: Counts tokens, where it can.
    """

    parts: tuple[Part, ...]
    budget_chars: int = 2000
    counter: TokenCounter | None = None


@dataclass(frozen=True)
class ContentReader:
    """Reads records one by one with the captioner and the embedders that made the rest of the catalogue.

    Attributes:
        root: Workspace root, against which media resolve.
        embedder: Texts to vectors.
        recipes: How the texts of each space are made; other spaces get no vector of a new item.
        captioner: Media to words, made at the first use; None: nothing is captioned.
        config: Which media are captioned.
        pictures: By space, pictures to a vector.
        bring: Fetches what items name by URL, before anything is read; None: nothing is fetched.
    """

    root: Path
    embedder: TextEmbedder
    recipes: Mapping[str, Recipe]
    captioner: Callable[[], Captioner] | None = None
    config: CaptionJobConfig = field(default_factory=CaptionJobConfig)
    pictures: Mapping[str, PictureVector] = field(default_factory=dict)
    bring: Callable[[Sequence[Item]], None] | None = None

    def read(self, items: Sequence[Item]) -> Change:
        """See `ItemReader.read`."""
        if self.bring is not None:
            with _excused("media", items):
                self.bring(items)
        captions = {item.item_id: said for item in items if (said := self._captions(item))}
        vectors: dict[str, EmbeddingTable] = {}
        for space, recipe in self.recipes.items():
            with _excused(space, items):
                texts = {item.item_id: text for item in items if (text := _text(item, captions, recipe))}
                if texts:
                    vectors[space] = EmbeddingTable(IdMap(texts), self.embedder.embed(list(texts.values())), space)
        for space, vector_of in self.pictures.items():
            shown: dict[str, Floats] = {}
            for item in items:
                with _excused(space, [item]):
                    if (vector := vector_of(item)) is not None:
                        shown[item.item_id] = vector
            if shown:
                vectors[space] = EmbeddingTable(IdMap(shown), np.stack(list(shown.values())), space)
        return Change(tuple(items), captions, vectors)

    def _captions(self, item: Item) -> tuple[Caption, ...]:
        config = self.config
        media = [(ref, "image") for ref in dict.fromkeys(item.images[: config.images_per_item])]
        media += [(ref, "video") for ref in dict.fromkeys(item.videos[: config.videos_per_item])]
        if self.captioner is None or not media:
            return ()
        said: list[Caption] = []
        with _excused("captioner", [item]):
            reader = Reader(self.root, self.captioner(), config)
            for ref, kind in media:
                with _excused(ref, [item]):
                    said += self._said(reader, item, ref, kind)
        return tuple(said)

    def _said(self, reader: Reader, item: Item, ref: str, kind: str) -> list[Caption]:
        sha = media_sha(ref, self.root)
        label: dict[str, str | None] = {"item_id": item.item_id, "media": ref}
        result = reader.infer([reader.prepare(Piece(label, None, {"kind": kind, "sha": sha}))])[0]
        if result.values is None:
            raise MediaError(result.detail or f"media {ref!r} of item {item.item_id!r} has no caption")
        return [Caption(item.item_id, ref, media_sha=sha, **row) for row in result.values["rows"]]


def _text(item: Item, captions: Mapping[str, tuple[Caption, ...]], recipe: Recipe) -> str:
    """Return what an embedder reads of an item; "" where it has none of the parts."""
    parts = item_parts(item, captions.get(item.item_id, ()), parts=recipe.parts)
    return fit(parts, budget_chars=recipe.budget_chars, counter=recipe.counter).text if parts else ""


@contextmanager
def _excused(what: str, items: Sequence[Item]) -> Iterator[None]:
    """Let a fault that a user can mend cost one thing, and say so in the log."""
    try:
        yield
    except (VitrineError, OSError) as error:
        ids = ",".join(item.item_id for item in items[:3])
        log.warning("item not read in full item_ids=%s what=%r error=%s", ids, what, error)
