"""`VideoEncoder`: a trained temporal encoder with its engagement head, in memory and on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from catalog.errors import DataError
from catalog.vectors import Floats
from catalog.workspace import Workspace, write_text
from embedding.video.audience import SOURCES
from embedding.video.calibration import Calibration
from embedding.video.config import VideoEncoderConfig
from embedding.video.frame_job import FrameSequence, Source

if TYPE_CHECKING:
    from embedding.video.network import VideoNetwork
    from embedding.video.training import Projection

Values = NDArray[np.float64]

ARTIFACT = "encoders/video"
WEIGHTS, HEAD = "video.safetensors", "video.json"
_PROJECTION = "projection."


@dataclass(frozen=True, eq=False)
class Engagement:
    """Click-through of films, 0 to 1, with its 95% interval; each (n,)."""

    rate: Values
    low: Values
    high: Values


@dataclass(frozen=True, eq=False)
class VideoEncoder:
    """Films to unit vectors and to click-through.

    Attributes:
        config: What it was built and fitted with.
        embedder: Short name of what reads frames; frames of another cannot be encoded.
        model: Its provenance.
        projection: What is done to frame vectors first.
        network: The weights.
        calibrations: By source.
    """

    config: VideoEncoderConfig
    embedder: str
    model: str
    projection: Projection
    network: VideoNetwork
    calibrations: Mapping[Source, Calibration]

    @property
    def space(self) -> str:
        """The space of its vectors: `video-clip`."""
        return video_space(self.embedder)

    def encode(self, films: Sequence[FrameSequence]) -> Floats:
        """Return (n, dim) float32, rows of length 1.

        Raises:
            DataError: When frame vectors are not of the width it was fitted on, or a film has no frame.
        """
        return self._run(films, "marketing")[0]

    def engagement(self, films: Sequence[FrameSequence], source: Source = "marketing") -> Engagement:
        """Return the click-through to expect of films that nobody has seen yet.

        Args:
            films: Their frames.
            source: Where they are shown: as marketing, or as the film of an item on a slate.

        Raises:
            DataError: As `encode`.
        """
        score = self._run(films, source)[1]
        return Engagement(*self.calibrations.get(source, Calibration()).interval(score))

    def _run(self, films: Sequence[FrameSequence], source: Source) -> tuple[Floats, Values]:
        from embedding.video.training import batch_of, predict

        if not films:
            return np.zeros((0, self.config.dim), np.float32), np.zeros(0)
        width = len(self.projection.mean)
        for film in films:
            if film.vectors.ndim != 2 or film.vectors.shape[1] != width or not len(film.vectors):
                raise DataError(
                    f"{ARTIFACT}: frame vectors of shape {film.vectors.shape}; (t, {width}) of the embedder "
                    f"{self.embedder!r}, t at least 1, would be valid"
                )
        rows = np.full(len(films), SOURCES.index(source), np.int64)
        return predict(self.network, batch_of(films, rows, self.projection), self.config.threads)

    def save(self, folder: Path) -> None:
        """Write `video.safetensors` and `video.json` into an existing folder; the same encoder gives the same bytes."""
        from safetensors.numpy import save_file

        arrays = {name: table.detach().cpu().numpy() for name, table in self.network.state_dict().items()}
        arrays |= {f"{_PROJECTION}{name}": table for name, table in self.projection.arrays().items()}
        save_file({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}, folder / WEIGHTS)
        (folder / WEIGHTS).chmod(0o644)
        head = {
            "config": self.config.model_dump(mode="json"),
            "embedder": self.embedder,
            "model": self.model,
            "calibrations": {source: asdict(each) for source, each in self.calibrations.items()},
        }
        write_text(folder / HEAD, json.dumps(head, indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> VideoEncoder:
        """Read what `save` wrote.

        Raises:
            DataError: When it is damaged.
        """
        import torch
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        from embedding.video.training import Projection, make_network

        try:
            head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
            config = VideoEncoderConfig.model_validate(head["config"])
            arrays = load_file(folder / WEIGHTS)
            own = {n.removeprefix(_PROJECTION): a for n, a in arrays.items() if n.startswith(_PROJECTION)}
            projection = Projection.from_arrays(own)
            network = make_network(config, config.pooling, projection.width)
            network.load_state_dict(
                {n: torch.from_numpy(a) for n, a in arrays.items() if not n.startswith(_PROJECTION)}
            )
            calibrations = {s: Calibration(**head["calibrations"][s]) for s in SOURCES if s in head["calibrations"]}
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, ValidationError, SafetensorError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{str(folder)!r} holds no video encoder ({reason})") from error
        return cls(config, head["embedder"], head["model"], projection, network.eval(), calibrations)


def video_space(name: str) -> str:
    """Return the space of videos whose frames an embedder read: `video-clip`."""
    return f"video-{name}"


def load_video_encoder(workspace: Workspace) -> VideoEncoder:
    """Return the store's encoder.

    Raises:
        NotBuiltError: When it was never trained.
        DataError: When it is damaged.
    """
    with workspace.reading(ARTIFACT, whole=True) as folder:
        return VideoEncoder.load(folder)
