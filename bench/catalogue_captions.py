"""What a picture shows, in the shop's own words: trained heads against `pixels`, and against the commonest word.

    python -m bench.catalogue_captions [--seeds 0 1 2 3 4] [--cells FOLDER] [--folds 5]

`fashion` (2,519 garments): a picture tower and heads for each seed of `bench.fashion_clip`, on its division by
`product_code`; heads learn from the garments that the tower learned from, the tenth that ended its training sets
penalty and confidences, and the fifth that nobody saw is judged: type, pattern, colour group and perceived colour.
`pixels` has other words, so each of its words is read as the label that goes with it most often among the garments that
are not judged: of its words for the main colour (for colours), for the pattern (for patterns), for proportion, outline
and silhouette (for types), alone or in pairs, whichever is right more often there. Intervals are of a bootstrap over
product codes, seeds together. Captions are compared as texts as well: does MiniLM find a held-out garment's description
by its caption?

`clothing` (1,000 photos by shoppers, in no shop): heads learn from four fifths of the senders in the space of the tower
of the first seed, which never saw any of the photos, and are judged on the last fifth, five times.

Folders stand in $TEST_DATA or ../shared/data; one cell a seed in `--cells`, finished ones are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.catalogue_towers import Tower, Towers
from bench.catalogue_words import PixelsWords, reading
from bench.fashion_clip import FOLDER
from captioning.catalogue.calibration import answers, thresholds, worth
from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.eye import look, seen
from captioning.catalogue.fields import Stated, fields_of, stated
from captioning.catalogue.heads import Heads, fit_heads
from captioning.catalogue.wording import guesses, sentence
from catalog.media import MediaLimits, open_picture
from catalog.vectors import Floats
from catalog.workspace import content_key, write_text
from embedding.clip import OpenClip, OpenClipConfig
from embedding.clip_training.batches import folds
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.recall import KS, recalls
from embedding.clip_training.rows import Ints

JUDGED = {"category 3": "type", "pattern": "pattern", "colour": "colour group", "perceived": "perceived colour"}
DRAWS = 2000
VERSION = 2


def main() -> None:
    """Run what is missing and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--cells", type=Path, default=Path("reports/catalogue-captions"))
    parser.add_argument("--folds", type=int, default=5, help="of the shoppers' photos")
    parser.add_argument("--threads", type=int, default=2, help="torch threads of the training")
    parser.add_argument("--set", type=json.loads, default={}, help="settings of the captioner, as JSON")
    asked = parser.parse_args()
    config = CatalogueConfig.model_validate(asked.set)
    towers = Towers(ClipTrainingConfig(threads=asked.threads), asked.cells)
    garments = _Garments(towers, config, asked.cells)
    cells = [_kept(garments.cell(seed), lambda seed=seed: garments.judged(seed)) for seed in asked.seeds]
    print(_fashion_table(cells, garments.groups))
    tower = towers.of(asked.seeds[0])
    photos = (
        asked.cells
        / f"photos-{content_key(VERSION, towers.key, asked.folds, config.model_dump(mode='json'))[:12]}.json"
    )
    print(_photos_text(_kept(photos, lambda: _photos(tower, config, asked.folds))))


def _kept(cell: Path, make: Any) -> dict[str, Any]:
    """Return a finished cell, or make it and keep it."""
    if not cell.is_file():
        write_text(cell, json.dumps(make(), indent=1) + "\n")
        print(f"made {cell}", flush=True)
    found: dict[str, Any] = json.loads(cell.read_text())
    return found


class _Garments:
    """The garments with what is stated of them, and the words `pixels` has for their pictures."""

    def __init__(self, towers: Towers, config: CatalogueConfig, cells: Path) -> None:
        self._towers, self._config, self._cells = towers, config, cells
        perceived = pl.read_csv(FOLDER / "articles.csv", schema_overrides={"article_id": pl.String})
        own = dict(perceived.select("article_id", "perceived_colour_master_name").iter_rows())
        self._stated: list[Stated] = [stated(i) | {"perceived": (own[i.item_id],)} for i in towers.items]
        self._descriptions = [item.description or "" for item in towers.items]
        self.groups = towers.groups
        self._pixels = PixelsWords([item.images[0] for item in towers.items], cells)

    def cell(self, seed: int) -> Path:
        """Return where a seed's figures stand."""
        key = content_key(VERSION, self._towers.key, self._config.model_dump(mode="json"))
        return self._cells / f"garments-{key[:12]}-{seed}.json"

    def judged(self, seed: int) -> dict[str, Any]:
        """Return one seed's figures: which judged garments each one names rightly, by label."""
        tower = self._towers.of(seed)
        began, cpu = time.perf_counter(), time.process_time()
        features = _features(tower, [FOLDER / item.images[0] for item in self._towers.items])
        heads, least = self._learned(tower, features)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        judged = [self._stated[row] for row in tower.judge]
        found = answers(heads, features[tower.judge], judged)
        mapping = np.concatenate([tower.fit, tower.stop])
        right: dict[str, dict[str, list[int]]] = {}
        for name in JUDGED:
            truth = [self._stated[row][name][0] for row in range(len(self._stated))]
            said = found[name].confidence >= least[name]
            common = max(set(truth), key=[truth[row] for row in mapping].count)
            read = reading(self._pixels.words(name), truth, mapping)
            right[name] = {
                "heads": found[name].right.astype(int).tolist(),
                "said": said.astype(int).tolist(),
                "pixels": [int(read[row] == truth[row]) for row in tower.judge],
                "commonest": [int(truth[row] == common) for row in tower.judge],
            }
        return {
            "seed": seed,
            "judge": tower.judge.tolist(),
            "right": right,
            "tower_seconds": tower.seconds,
            "tower_cpu_seconds": tower.cpu_seconds,
            "heads_seconds": round(seconds, 1),
            "heads_cpu_seconds": round(used, 1),
            "found": self._found(tower, heads, least, features),
        }

    def _learned(self, tower: Tower, features: Floats) -> tuple[Heads, dict[str, float]]:
        learn, config = [self._stated[row] for row in tower.fit], self._config
        fields = fields_of(learn, config)
        stop = [self._stated[row] for row in tower.stop]
        tried = [fit_heads(features[tower.fit], learn, fields, penalty=each) for each in config.penalty]
        judged = [answers(heads, features[tower.stop], stop) for heads in tried]
        best = max(range(len(tried)), key=lambda at: worth(judged[at]))
        return tried[best], thresholds(judged[best], fields, config.precision)

    def _found(self, tower: Tower, heads: Heads, least: dict[str, float], features: Floats) -> dict[str, Any]:
        """Return how well MiniLM finds held-out descriptions by each kind of caption."""
        from embedding.minilm import MiniLM

        minilm, rows = MiniLM(), tower.judge
        described = [self._descriptions[row] for row in rows]
        alike = np.unique(described, return_inverse=True)[1].astype(np.int64)
        wanted = minilm.embed(described)
        # Perceived colour is judged beside the colour group and would say the same twice.
        told = [field for field in heads.fields if field.name != "perceived"]
        likely = [
            each for field, each in zip(heads.fields, heads.probabilities(features[rows]), strict=True) if field in told
        ]

        def words(sure: dict[str, float]) -> list[str]:
            return [sentence(guesses(told, [each[at] for each in likely], sure)) for at in range(len(rows))]

        said, forced = words(least), words(dict.fromkeys(least, 0.0))
        pixels = [self._pixels.captions[row] for row in rows]
        kinds = {
            "pixels": pixels,
            "heads": said,
            "heads, the likeliest always": forced,
            "heads and pixels": [f"{a} {b}".strip() for a, b in zip(said, pixels, strict=True)],
        }
        return {kind: recalls(minilm.embed(texts), wanted, alike) for kind, texts in kinds.items()}


def _features(tower: Tower, pictures: list[Path]) -> Floats:
    """Return (n, w) what a tower sees in pictures."""
    clip, rows = OpenClip(OpenClipConfig(model=str(tower.folder))), []
    for at in range(0, len(pictures), 256):
        some = [open_picture(str(each), each.parent, MediaLimits()) for each in pictures[at : at + 256]]
        rows.append(seen(clip, [look(clip, each) for each in some]))
    return np.concatenate(rows)


def _photos(tower: Tower, config: CatalogueConfig, count: int) -> dict[str, Any]:
    """Return which photos are named rightly, each by heads that learned from other senders."""
    folder = FOLDER.parent / "clothing"
    table = pl.read_csv(folder / "images.csv")
    paths = [folder / "images" / f"{name}.jpg" for name in table["image"]]
    labels, senders = table["label"].to_list(), table["sender_id"].to_list()
    began = time.perf_counter()
    features = _features(tower, paths)
    groups = np.unique(senders, return_inverse=True)[1].astype(np.int64)
    fold_of = folds(groups, count, np.random.default_rng(0))
    items: list[Stated] = [{"label": (label,)} for label in labels]
    right, common = np.zeros(len(paths), np.int64), np.zeros(len(paths), np.int64)

    def best(fold: int) -> float:
        """Return the penalty that does best on another fold, learned from neither."""
        other = (fold + 1) % count
        rows, judge = np.flatnonzero(~np.isin(fold_of, (fold, other))), np.flatnonzero(fold_of == other)
        told, wanted = [items[row] for row in rows], [items[row] for row in judge]
        fields = fields_of(told, config)
        found = {
            each: worth(answers(fit_heads(features[rows], told, fields, penalty=each), features[judge], wanted))
            for each in config.penalty
        }
        return max(found, key=lambda each: found[each])

    for fold in range(count):
        learn, judge = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        told = [items[row] for row in learn]
        heads = fit_heads(features[learn], told, fields_of(told, config), penalty=best(fold))
        right[judge] = answers(heads, features[judge], [items[row] for row in judge])["label"].right
        seen = [labels[row] for row in learn]
        common[judge] = [labels[row] == max(set(seen), key=seen.count) for row in judge]
    seconds = round(time.perf_counter() - began, 1)
    return {"heads": right.tolist(), "commonest": common.tolist(), "groups": groups.tolist(), "seconds": seconds}


def _fashion_table(cells: list[dict[str, Any]], groups: Ints) -> str:
    """Return accuracies, gains and what is said, with intervals over product codes."""
    rows = np.concatenate([cell["judge"] for cell in cells])
    codes = groups[rows]
    lines = [
        f"{len(cells)} seeds, {len(rows):,} judgements on garments nobody saw",
        "| | heads | `pixels`, read at its best | the commonest | heads less `pixels` | said | right of that |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, told in JUDGED.items():
        each = {
            who: np.concatenate([cell["right"][name][who] for cell in cells]).astype(np.float64)
            for who in ("heads", "said", "pixels", "commonest")
        }
        gain = _interval(each["heads"] - each["pixels"], codes)
        own = [_interval(each[who], codes) for who in ("heads", "pixels", "commonest")]
        right = (each["heads"] * each["said"]).sum() / max(each["said"].sum(), 1)
        lines.append(f"| {told} | {' | '.join(own)} | {gain} | {each['said'].mean():.0%} | {right:.3f} |")
    names = [f"{way}@{k}" for way in ("picture->text", "text->picture") for k in KS]
    lines += ["", "| caption finds description, by MiniLM | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for kind in cells[0]["found"]:
        own = [f"{np.mean([cell['found'][kind][name] for cell in cells]):.3f}" for name in names]
        lines.append(f"| {kind} | {' | '.join(own)} |")
    seconds = ", ".join(f"{c['tower_seconds']:.0f} s ({c['tower_cpu_seconds']:.0f} of processor)" for c in cells)
    heads = ", ".join(f"{c['heads_seconds']:.0f} s ({c['heads_cpu_seconds']:.0f})" for c in cells)
    return "\n".join([*lines, f"towers: {seconds}", f"pictures seen and heads: {heads}"])


def _photos_text(cell: dict[str, Any]) -> str:
    groups = np.array(cell["groups"])
    own, common = (np.array(cell[who], np.float64) for who in ("heads", "commonest"))
    return (
        f"\nshoppers' photos: {len(own):,} by {len(np.unique(groups))} senders; right {_interval(own, groups)}, the "
        f"commonest {_interval(common, groups)}, gain {_interval(own - common, groups)}; {cell['seconds']:.0f} s"
    )


def _interval(values: Floats | Any, groups: Ints | Any) -> str:
    """Return a mean and its 95% interval by a bootstrap that draws whole groups."""
    _, at = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(at, values), np.bincount(at)
    drawn = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
