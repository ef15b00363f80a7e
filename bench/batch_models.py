"""Part d of `bench.batch_job`: the job with real models against the bare library loop in the same run."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from batch.assembly import Rows
from batch.base import Batch, In, Mid, Out, Piece, Result, Steps, Work
from batch.job import JobConfig, run_job
from batch.local import LocalEngine
from batch.work import Done
from catalog.media import MediaLimits, open_picture
from catalog.vectors import Floats, save_frames
from catalog.workspace import Workspace
from embedding.minilm import MiniLM
from embedding.tiny_models import tiny_clip

ROUNDS = 3
"""Each side runs so often, in turn; the best of each is compared."""
BATCH = 64
WORDS = [
    "red",
    "blue",
    "cotton",
    "dress",
    "with",
    "short",
    "sleeves",
    "for",
    "summer",
    "evenings",
    "made",
    "of",
    "linen",
    "and",
    "wool",
    "round",
    "mug",
    "tea",
]
SIDE, CLIP_SIDE, CLIP_DIM = 512, 224, 64


class Instant:
    """An engine that gives every piece the same words without looking: it fills stores for measurements."""

    name = "instant"

    def run(
        self, work: Iterable[In], steps: Steps[In, Mid, Out], *, batch_size: int, workers: int, decoders: int
    ) -> Iterator[Batch[Any]]:
        """Yield made-up results."""
        pieces: Iterator[Any] = iter(work)
        while some := list(islice(pieces, batch_size)):
            values = {"text": "Words that were there before.", "model": "stub", "prompt_sha": "0" * 64}
            yield Batch([Done(str(each.piece.key), each.times, each.tried, Result(values)) for each in some], 0.0)


def models(folder: Path, texts: int) -> None:
    """Compare MiniLM on texts and a small open_clip model on half as many pictures, and print."""
    folder.mkdir(parents=True, exist_ok=True)
    _minilm(folder, texts)
    _clip(folder, texts // 2)


def _minilm(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(6, 40))) + f" {at}" for at in range(count)]
    embedder = MiniLM()
    embedder.embed(texts[:8])

    def bare() -> None:
        for first in range(0, count, BATCH):
            embedder.embed(texts[first : first + BATCH])

    def infer(some: Sequence[str]) -> list[Result]:
        return [Result({"vector": vector}) for vector in embedder.embed(some)]

    pieces = [Piece({"item_id": str(at)}, f"{at:064x}", {"text": text}) for at, text in enumerate(texts)]
    job = _job(folder, pieces, "text", lambda text: text, infer, embedder.dim, decoders=1)
    _compare(f"MiniLM, {count:,} texts", count, bare, job)


def _clip(folder: Path, count: int) -> None:
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms(
        f"local-dir:{tiny_clip(folder / 'clip', size=CLIP_SIDE, dim=CLIP_DIM)}"
    )
    model.eval()
    refs = _pictures(folder, count)
    limits = MediaLimits()

    def embed(pixels: Sequence[Any]) -> Floats:
        with torch.inference_mode():
            return np.asarray(model.encode_image(torch.stack(list(pixels)), normalize=True).numpy(), np.float32)

    def bare() -> None:
        for first in range(0, count, BATCH):
            embed([preprocess(Image.open(folder / ref).convert("RGB")) for ref in refs[first : first + BATCH]])

    def infer(some: Sequence[Any]) -> list[Result]:
        return [Result({"vector": vector}) for vector in embed(some)]

    pieces = [Piece({"item_id": str(at)}, f"{at:064x}", {"ref": ref}) for at, ref in enumerate(refs)]
    job = _job(
        folder, pieces, "ref", lambda ref: preprocess(open_picture(ref, folder, limits)), infer, CLIP_DIM, decoders=2
    )
    _compare(f"open_clip of random weights, {count:,} pictures", count, bare, job)


def _job(
    folder: Path,
    pieces: Sequence[Piece],
    column: str,
    read: Callable[[str], Any],
    infer: Callable[[Sequence[Any]], list[Result]],
    dim: int,
    decoders: int,
) -> Callable[[], None]:
    def assemble(place: Path, rows: Rows) -> None:
        save_frames(place, rows.frames, rows.count, dim, "bench")

    def job() -> None:
        workspace = Workspace(folder / "store")
        workspace.remove("embeddings/bench")
        run_job(
            workspace,
            "embeddings/bench",
            work=Work.of(pieces, ("item_id",), {column: pl.String}),
            prepare=lambda piece: read(piece.payload[column]),
            infer=infer,
            schema={"vector": pl.Array(pl.Float32, dim)},
            assemble=assemble,
            engine=LocalEngine(),
            config=JobConfig(batch_size=BATCH, workers=1, decoders=decoders),
        )

    return job


def _compare(what: str, count: int, bare: Callable[[], None], job: Callable[[], None]) -> None:
    seconds: dict[Callable[[], None], list[float]] = {bare: [], job: []}
    for _ in range(ROUNDS):
        for side, took in seconds.items():
            begin = time.monotonic()
            side()
            took.append(time.monotonic() - begin)
    loop, ours = min(seconds[bare]), min(seconds[job])
    print(
        f"d: {what}: bare loop {count / loop:,.1f}/s, job {count / ours:,.1f}/s: {loop / ours:.2f} (goal 0.95)",
        flush=True,
    )


def _pictures(folder: Path, count: int) -> list[str]:
    rng = np.random.default_rng(0)
    refs = [f"{at}.jpg" for at in range(count)]
    for ref in refs:
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
        buffer = io.BytesIO()
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
        (folder / ref).write_bytes(buffer.getvalue())
    return refs
