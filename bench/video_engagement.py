"""The temporal encoder against mean pooling: who clicks on films of campaigns neither has seen.

    python -m bench.video_engagement [--seeds 401 402 403] [--stores FOLDER] [--frames thumbnail]

For each boutique seed: generate the shop and its marketing films, fit the picture model of `vitrine train clip` (with
`--frames auto`, the default) or take colours and edges (`--frames thumbnail`), read the films' frames, and fit both
poolings with the same frames, head, steps and folds by campaign. Every film is judged by a network that saw nothing of
its campaign; the AUC is over impressions, its interval over campaigns drawn again, the difference paired. `shuffled` is
the temporal encoder with each film's frames in another order at the same times: what order alone is worth. `truth`
ranks by what the generator knows, luck left out. It is a generated shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.boutique.marketing.generate import load_marketing_truth
from catalog.boutique.marketing.truth import SHARES
from catalog.workspace import Workspace
from embedding.video.audience import Audience, gather
from embedding.video.config import Pooling
from embedding.video.frame_job import embed_frames, load_frames
from embedding.video.job import held_out_scores
from embedding.video.judging import group_interval, impression_auc
from vitrine import jobs
from vitrine.encoders import train_clip_store
from vitrine.settings import Settings, load_settings
from vitrine.videos import frame_embedder, generate_marketing
from vitrine.wiring import make_engine

Values = NDArray[np.float64]
Rows = NDArray[np.int64]


def prepared(seed: int, stores: Path, frames: str) -> tuple[Settings, Audience]:
    """Return the settings of a store that holds the boutique of `seed`, and its marketing films with their counts."""
    video = {"video": {"frame_embedder": frames}, "clip": {"folds": 0}}
    settings = load_settings({"store": str(stores / f"b{seed}"), "boutique": {"seed": seed}, "encoders": video})
    print(generate_marketing(settings), flush=True)
    if frames == "auto":  # the films alone do not need the shop's pictures, a picture model does
        print(jobs.generate_boutique(settings), flush=True)
        print(*train_clip_store(settings), sep="\n", flush=True)
    workspace, embedder = Workspace(settings.store), frame_embedder(settings)
    report = embed_frames(workspace, embedder, engine=make_engine(settings), config=settings.encoders.video.frames)
    print(jobs.job_text(report, workspace), flush=True)
    return settings, only_marketing(gather(workspace, load_frames(workspace, embedder.name)))


def only_marketing(audience: Audience) -> Audience:
    """Return the marketing films of an audience."""
    rows = audience.of("marketing").tolist()
    return replace(
        audience,
        sources=tuple(audience.sources[k] for k in rows),
        ids=tuple(audience.ids[k] for k in rows),
        groups=tuple(audience.groups[k] for k in rows),
        films=tuple(audience.films[k] for k in rows),
        shown=audience.shown[rows],
        clicks=audience.clicks[rows],
    )


def shuffled(audience: Audience, seed: int) -> Audience:
    """Return the films with their frames in another order at the same times and scenes."""
    rng = np.random.default_rng(seed)
    films = tuple(replace(film, vectors=rng.permutation(film.vectors)) for film in audience.films)
    return replace(audience, films=films)


def known(settings: Settings, audience: Audience) -> Values:
    """Return what the generator knows of each film, luck left out."""
    films = load_marketing_truth(Workspace(settings.store)).films
    appeal = films["appeal"].to_numpy() - np.sqrt(SHARES["luck"]) * films["luck"].to_numpy()
    by_id = dict(zip(films["media_id"].to_list(), appeal.tolist(), strict=True))
    return np.array([by_id[each] for each in audience.ids])


def measured(audience: Audience, score: Values) -> Callable[[Rows], float]:
    """Return the AUC of a score as a function of film rows."""
    return lambda at: impression_auc(score[at], audience.clicks[at], audience.shown[at])


def row(name: str, audience: Audience, score: Values, base: Values | None, seconds: float) -> tuple[str, bool]:
    """Return a line of the table, and whether the score beats the base beyond its paired interval."""
    everything = np.arange(len(score))
    auc = measured(audience, score)
    low, high = group_interval(auc, audience.groups, seed=0)
    line, better = f"| {name} | {auc(everything):.4f} [{low:.4f}, {high:.4f}] |", False
    if base is None:
        return f"{line} | {seconds:.1f} |", better
    other = measured(audience, base)
    low, high = group_interval(lambda at: auc(at) - other(at), audience.groups, seed=0)
    better = low > 0
    return f"{line} {auc(everything) - other(everything):+.4f} [{low:+.4f}, {high:+.4f}] | {seconds:.1f} |", better


def mean_scores(audience: Audience, settings: Settings, pooling: Pooling, seeds: Sequence[int]) -> tuple[Values, float]:
    """Return held-out log odds, their mean over training seeds, and the seconds of one seed."""
    config, began = settings.encoders.video, time.perf_counter()
    scores = [held_out_scores(audience, config, pooling, seed=seed) for seed in seeds]
    return np.mean(scores, axis=0), (time.perf_counter() - began) / len(seeds)


def main() -> None:
    """Print one table a boutique, and whether the temporal encoder won on all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[401, 402, 403], help="boutique seeds")
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--frames", choices=["auto", "thumbnail"], default="auto", help="what reads frames")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given, won = parser.parse_args(), []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            settings, audience = prepared(seed, given.stores or Path(temporary), given.frames)
            mean, mean_s = mean_scores(audience, settings, "mean", given.training_seeds)
            print(
                f"\nboutique {seed}: {len(audience.films)} films, {int(audience.shown.sum()):,} impressions, frames by"
            )
            print(f"{frame_embedder(settings).model}, training seeds {given.training_seeds}\n")
            print("| pooling | AUC | over mean pooling, paired | seconds |\n|---|---|---|---|")
            print(row("mean", audience, mean, None, mean_s)[0], flush=True)
            temporal, seconds = mean_scores(audience, settings, "temporal", given.training_seeds)
            line, better = row("temporal", audience, temporal, mean, seconds)
            print(line, flush=True)
            mixed, seconds = mean_scores(shuffled(audience, seed), settings, "temporal", given.training_seeds)
            print(row("temporal, frames shuffled", audience, mixed, mean, seconds)[0])
            print(row("truth", audience, known(settings, audience), mean, 0.0)[0], flush=True)
            won.append(better)
    print(f"\ntemporal beats mean pooling beyond its interval on {sum(won)} of {len(won)} boutiques")


if __name__ == "__main__":
    main()
