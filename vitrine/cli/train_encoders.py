"""`vitrine train clip|video|fusion`: one line an encoder; what each one does loads when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from catalog.progress import Progress
    from vitrine.settings import Settings

What = Literal["recommender", "clip", "video", "fusion"]
"""What `vitrine train` can fit."""

Training: TypeAlias = "Callable[[Settings, Progress], list[str]]"
"""Fits one encoder on the store and returns what it says on the terminal."""


def _clip(settings: Settings, progress: Progress) -> list[str]:
    from vitrine.encoders import train_clip_store

    return train_clip_store(settings, progress)


def _fusion(settings: Settings, progress: Progress) -> list[str]:
    from vitrine.fusing import train_fusion_store

    return train_fusion_store(settings, progress)


def _video(settings: Settings, progress: Progress) -> list[str]:
    from vitrine.videos import train_video_store

    return train_video_store(settings, progress)


def what_next(what: What, settings: Settings) -> tuple[str, ...]:
    """Return the commands that use an encoder, in their order."""
    from vitrine.encoders import after_clip

    return {"clip": after_clip(settings), "video": ("train fusion", "index")}.get(what, ("index",))


ENCODERS: Mapping[str, Training] = {
    "clip": _clip,
    "video": _video,
    "fusion": _fusion,
}
"""Who fits which; `recommender` is none of them."""
