"""Pictures of items, scaled down once and kept in memory."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import MediaError, NotFoundError
from catalog.media.limits import MediaLimits
from catalog.media.pictures import open_picture, thumbnail
from catalog.media.refs import media_stamp
from catalog.nouns import Item

log = logging.getLogger("vitrine.api")

CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture, its media type and its `ETag`."""

    data: bytes
    kind: str
    tag: str


@dataclass
class Pictures:
    """Serves what the catalogue names and nothing else: no part of an address ever becomes a path.

    Attributes:
        root: Workspace root, against which relative references resolve.
        sizes: Longest sides served, in pixels.
        limits: Which files are opened at all.
        cache_bytes: Memory for thumbnails; those shown longest ago go first.
    """

    root: Path
    sizes: tuple[int, ...]
    limits: MediaLimits = field(default_factory=MediaLimits)
    cache_bytes: int = CACHE_BYTES
    _kept: OrderedDict[str, Thumbnail] = field(default_factory=OrderedDict)
    _held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def thumbnail(self, item: Item, n: int, size: int) -> Thumbnail:
        """Return picture `n` of an item with a longest side of `size` pixels, rounded up to one that is served.

        Raises:
            NotFoundError: When there is no such picture, or it cannot be opened; the file is named in the log only.
        """
        if n >= len(item.images):
            raise NotFoundError(f"item {item.item_id!r} has {len(item.images)} pictures, none of number {n} (from 0)")
        side = min((each for each in sorted(self.sizes) if each >= size), default=max(self.sizes))
        try:
            return self._made(item.images[n], side)
        except (MediaError, OSError) as error:
            log.warning("picture item_id=%s n=%d error=%s", item.item_id, n, error)
            raise NotFoundError(f"picture {n} of item {item.item_id!r} cannot be shown") from error

    def _made(self, ref: str, side: int) -> Thumbnail:
        stamp = media_stamp(ref, self.root)
        key = hashlib.sha256(f"{ref}\0{stamp.mark}\0{stamp.size}\0{side}".encode()).hexdigest()[:32]
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        picture = open_picture(ref, self.root, self.limits, at_most=(2 * side) ** 2)  # twice each way scales down well
        data = thumbnail(picture, side=side)
        made = Thumbnail(data, "image/jpeg", f'"{key}"')
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._held += len(data)
            while self._held > self.cache_bytes and len(self._kept) > 1:
                self._held -= len(self._kept.popitem(last=False)[1].data)
        return made
