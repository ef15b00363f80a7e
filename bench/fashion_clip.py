"""Do pictures find their descriptions? A model trained here against captions of `pixels` and against chance.

    python -m bench.fashion_clip [--seeds 1 2 3 4 5] [--cells FOLDER] [--set '{"picture_size": 96}']

2,519 garments (`fashion/articles.csv` and `images/`, in $TEST_DATA or ../shared/data), divided by `product_code`: a
fifth is held out to be judged, a tenth of the rest ends the training, and the model learns from the others. Judged is
picture -> description and back among the held-out garments alone, a hit being any garment of the identical description;
the model saw titles, categories, attributes and descriptions of its own garments. The rival reads the same pictures
with `pixels` and compares its words with the descriptions by MiniLM. One cell a seed in `--cells`; finished ones are
not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from catalog.nouns import Item
from catalog.workspace import content_key, write_text
from embedding.clip_training.batches import held_out
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.examples import Examples, examples_of
from embedding.clip_training.fit import (
    HeldOut,
    fit_towers,
    picture_vectors,
    see_texts,
    text_vectors,
)
from embedding.clip_training.pictures import ROOM, read_pictures
from embedding.clip_training.recall import chance, recalls
from embedding.clip_training.step import Shown
from embedding.clip_training.towers import Towers, open_towers, text_counter
from vitrine.cli.bar import progress

FOLDER = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2] / "shared" / "data") / "fashion"
JUDGED = 0.2
"""Share of the garments, by `product_code`, that a seed judges on."""


def garments(folder: Path = FOLDER) -> Iterator[Item]:
    """Yield every garment that has a picture and a description."""
    table = pl.read_csv(folder / "articles.csv", schema_overrides={"article_id": pl.String})
    for row in table.iter_rows(named=True):
        picture = folder / "images" / f"{row['article_id']}.jpg"
        if row["detail_desc"] and picture.is_file():
            yield Item(
                row["article_id"],
                parent_id=str(row["product_code"]),
                title=row["prod_name"],
                description=row["detail_desc"],
                categories=(row["index_group_name"], row["product_group_name"], row["product_type_name"]),
                attributes={"colour": (row["colour_group_name"],), "pattern": (row["graphical_appearance_name"],)},
                images=(f"images/{picture.name}",),
            )


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--cells", type=Path, default=Path("bench/results/fashion-clip"))
    parser.add_argument("--set", type=json.loads, default={}, help="settings of the training, as JSON")
    asked = parser.parse_args()
    config = ClipTrainingConfig.model_validate(asked.set)
    shop = _Fashion(config, asked.cells)
    for seed in asked.seeds:
        cell = asked.cells / f"{shop.key[:12]}-{seed}.json"
        if not cell.is_file():
            write_text(cell, json.dumps(shop.judged(seed), indent=1) + "\n")
            print(f"seed {seed}: {cell}", flush=True)
    cells = [json.loads((asked.cells / f"{shop.key[:12]}-{seed}.json").read_text()) for seed in asked.seeds]
    print(_table(cells))


class _Fashion:
    """The garments, their pictures and the vectors of their texts, read once for all seeds."""

    def __init__(self, config: ClipTrainingConfig, cells: Path) -> None:
        self.config, self._cells = config, cells
        self.examples: Examples = examples_of(garments(), config, text_counter(config))
        self.key = content_key("fashion", config.model_dump(mode="json", exclude={"threads"}), self.examples.texts)
        self._preprocess = open_towers(config, 0).preprocess
        self._shown: Shown | None = None
        self._captions: dict[int, Any] = {}

    def _read(self) -> Shown:
        if self._shown is None:
            examples, config = self.examples, self.config
            pictures = read_pictures(examples.pictures, FOLDER, self._preprocess, config.media, scale=ROOM)
            towers = open_towers(config, 0)
            self._shown = Shown(examples, pictures, self._trunk(towers))
        return self._shown

    def _trunk(self, towers: Towers) -> Any:
        """Return what MiniLM makes of the texts; kept, since it takes a minute or two."""
        import torch

        kept = self._cells / f"texts-{content_key(self.examples.texts, self.config.context)[:12]}.npy"
        if not kept.is_file():
            found = see_texts(towers, self.examples.texts, self.config)
            assert found is not None
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, found.numpy(), allow_pickle=False)
        return torch.from_numpy(np.load(kept, allow_pickle=False))

    def judged(self, seed: int) -> dict[str, Any]:
        """Return one seed's figures."""
        shown, config, examples = self._read(), self.config, self.examples
        began, cpu = time.perf_counter(), time.process_time()
        groups, rng = examples.groups(), np.random.default_rng(seed)
        learn, judge = held_out(groups, JUDGED, rng)
        inner = np.unique(groups[learn], return_inverse=True)[1].astype(np.int64)
        fit_on, stop_on = (learn[each] for each in held_out(inner, config.held_out, rng))
        towers = open_towers(config, seed)
        fitted = fit_towers(
            towers, shown, fit_on, config, seed=seed, held_out=self._out(stop_on), progress=progress()
        )  # fmt: skip
        seconds = time.perf_counter() - began
        out = self._out(judge)
        descriptions = examples.said[judge, -1]
        vectors = picture_vectors(towers, out.pixels), text_vectors(towers, shown, descriptions)
        return {
            "seed": seed,
            "garments": len(judge),
            "descriptions": len(np.unique(descriptions)),
            "epochs": fitted.epochs,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "trained": recalls(*vectors, descriptions),
            "pixels + MiniLM": recalls(*self._rival(judge, descriptions), descriptions),
            "chance": chance(descriptions),
        }

    def _out(self, rows: Any) -> HeldOut:
        refs = [self.examples.pictures[row] for row in rows]
        pictures = read_pictures(refs, FOLDER, self._preprocess, self.config.media)
        return HeldOut(rows, pictures.pixels[pictures.first])

    def _rival(self, rows: Any, descriptions: Any) -> tuple[Any, Any]:
        """Return MiniLM's vectors of what `pixels` says of the pictures, and of the descriptions."""
        from captioning.base import Picture
        from captioning.pixels import PixelsCaptioner
        from catalog.media import open_picture
        from embedding.minilm import MiniLM

        captioner, minilm = PixelsCaptioner(), MiniLM()
        for row in rows:
            if row not in self._captions:
                ref = self.examples.pictures[row][0]
                words = captioner.caption([Picture(ref, ref, open_picture(ref, FOLDER, self.config.media))])[0]
                self._captions[row] = minilm.embed([words.text or ""])[0]
        texts = [self.examples.texts[at] for at in descriptions]
        return np.stack([self._captions[row] for row in rows]), minilm.embed(texts)


def _table(cells: list[dict[str, Any]]) -> str:
    """Return the means over seeds with their intervals, and the gain over the rival, seed by seed."""
    head = f"{len(cells)} seeds, {cells[0]['garments']} garments held out in the first"
    names = list(cells[0]["chance"])
    lines = [head, "| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for who in ("trained", "pixels + MiniLM", "chance"):
        each = [_with_interval([cell[who][name] for cell in cells]) for name in names]
        lines.append(f"| {who} | " + " | ".join(each) + " |")
    gains = [_with_interval([cell["trained"][n] - cell["pixels + MiniLM"][n] for cell in cells]) for n in names]
    lines.append("| gain, in pairs | " + " | ".join(gains) + " |")
    seconds = ", ".join(f"{cell['seconds']:.0f} s" for cell in cells)
    return "\n".join([*lines, f"training: {seconds}"])


def _with_interval(values: list[float]) -> str:
    """Return the mean over seeds and its 95% interval by Student's t; few seeds make a bootstrap too sure."""
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    half = float(t.ppf(0.975, len(values) - 1)) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


if __name__ == "__main__":
    main()
