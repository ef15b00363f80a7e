"""What captioning and embedding a large catalogue takes: shards, bytes, GPUs, hours and money, from rates with sources.

    python -m bench.scaling_plan
    python -m bench.scaling_plan --gpus 64 --captions-per-second-per-gpu 14.2 --gpu-hour-price 1.8

Every rate says where it comes from. Replace it by your own: `vitrine caption --limit 1000` on one of your GPUs prints
pictures a second.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from batch.shards import SMALL_BYTES
from vitrine.real.rates import (
    CAPTIONS,
    LLM_VECTORS,
    PICTURE_VECTORS,
    SMALL_VECTORS,
    TRANSCRIPTS,
    VIDEO_CAPTIONS,
    Rate,
)

HOUR = 3600.0
GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class Stage:
    """One batch job over one kind of media.

    Attributes:
        name: What it does.
        pieces: How many there are.
        unit: What one of them is.
        rate: Pieces a second and GPU.
        row_bytes: Of a finished row in a shard, with its key.
        media_bytes: Read from storage for one piece.
        core_seconds: Decoding of one piece on one CPU core.
    """

    name: str
    pieces: int
    unit: str
    rate: Rate
    row_bytes: int
    media_bytes: int
    core_seconds: float

    @property
    def shard_rows(self) -> int:
        """Rows of a shard, once small ones are merged."""
        return SMALL_BYTES // self.row_bytes

    @property
    def shards(self) -> int:
        """How many shards the rows make."""
        return -(-self.pieces // self.shard_rows)

    @property
    def gpu_hours(self) -> float:
        """Hours of one GPU that is never idle."""
        return self.pieces / self.rate.value / HOUR


TEXTS, PICTURES, VIDEOS, CLIPS = 30_000_000, 10_000_000, 1_000_000, 1_000_000

STAGES = (
    Stage("captions of pictures", PICTURES, "picture", CAPTIONS, 600, 150_000, 0.008),
    Stage("captions of videos", VIDEOS, "video", VIDEO_CAPTIONS, 1_000, 2_300_000, 1.4),
    Stage("transcripts of speech", CLIPS, "clip", TRANSCRIPTS, 800, 480_000, 0.05),
    Stage("vectors by a small model", TEXTS, "text", SMALL_VECTORS, 384 * 4 + 80, 0, 0.0),
    Stage("vectors by an LLM", TEXTS, "text", LLM_VECTORS, 2560 * 4 + 80, 0, 0.0),
    Stage("vectors of pictures", PICTURES, "picture", PICTURE_VECTORS, 512 * 4 + 80, 150_000, 0.008),
)
"""Bytes of media and seconds of decoding: a picture of 1 MP, as our posters decode on one core (7.5 ns a pixel); a
video of 30 s at 480p through `sample_clip` (1.4 s, 2.3 MB); 30 s of sound as 128 kbit/s MP3, assumed."""


def plan(stages: Sequence[Stage], gpus: int, efficiency: float, price: float) -> str:
    """Return the plan as a Markdown table, a row a stage, and what all of it needs at once.

    Args:
        stages: What is to be done, one after the other.
        gpus: How many there are.
        efficiency: Share of the time in which a GPU works; the report of a run calls it `engine busy`.
        price: Of a GPU for an hour, in any currency.
    """
    lines = [
        "| stage | pieces | per second per GPU | GPU hours | hours | cost | shards x rows | results | cores | reads |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    hours_in_all = cost_in_all = 0.0
    for stage in stages:
        hours = stage.gpu_hours / efficiency
        wall = hours / gpus
        a_second = stage.pieces / (wall * HOUR)
        hours_in_all += wall
        cost_in_all += hours * price
        lines.append(
            f"| {stage.name} | {stage.pieces:,} | {stage.rate.value:,.2f} | {hours:,.0f} | {wall:,.1f} | "
            f"{hours * price:,.0f} | {stage.shards:,} x {stage.shard_rows:,} | "
            f"{stage.pieces * stage.row_bytes / GIB:,.1f} GiB | {a_second * stage.core_seconds:,.0f} | "
            f"{a_second * stage.media_bytes / 1e6:,.0f} MB/s |"
        )
    lines.append(f"| **all** | | | {hours_in_all * gpus:,.0f} | {hours_in_all:,.1f} | {cost_in_all:,.0f} | | | | |")
    return "\n".join(lines)


def sources(stages: Sequence[Stage]) -> str:
    """Return where each rate comes from, a line a stage."""
    return "\n".join(f"- {each.name}: *{each.rate.origin}*. {each.rate.source}." for each in stages)


def main() -> None:
    """Print the plan and its sources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpus", type=int, default=32)
    parser.add_argument("--efficiency", type=float, default=0.9, help="share of the time a GPU works (default 0.9)")
    parser.add_argument("--gpu-hour-price", type=float, default=2.0, help="assumed: 2.0 for an 80 GB GPU")
    for stage in STAGES:
        parser.add_argument(
            f"--{stage.rate.option}", type=float, metavar="RATE", help=f"default {stage.rate.value:.3g}"
        )
    given = vars(parser.parse_args())
    stages = [_overridden(stage, given) for stage in STAGES]
    print(plan(stages, given["gpus"], given["efficiency"], given["gpu_hour_price"]))
    print()
    print(sources(stages))


def _overridden(stage: Stage, given: dict[str, float | int | None]) -> Stage:
    """Return the stage with the rate that was given."""
    value = given[stage.rate.option.replace("-", "_")]
    if value is None:
        return stage
    return replace(stage, rate=replace(stage.rate, value=value, origin="given on the command line", source="Yours"))


if __name__ == "__main__":
    main()
