"""Cross-fitting: each fold gets heads, and confidences from which they are said, that owe nothing to its own items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

import numpy as np

from captioning.catalogue.calibration import Answers, answers, joined, said_of, thresholds, worth
from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.fields import Field, Stated, fields_of
from captioning.catalogue.heads import Heads, fit_heads
from captioning.catalogue.places import WHOLE
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats, Mask
from embedding.clip_training.rows import Ints

LEAST_FOLDS = 3
"""One to say of, one to judge confidence on, one to learn from."""
_JUDGES = 3
"""Other folds that a fold's confidence is judged on, at most."""


@dataclass(frozen=True)
class Material:
    """What heads learn from.

    Attributes:
        items: (n,) what the shop states of each item.
        folds: (n,) the fold of each; none is `WHOLE`.
        owners: (m,) the item of each picture.
        features: By fold and for `WHOLE`: (m, w) what that model's picture tower sees in every picture.
    """

    items: Sequence[Stated]
    folds: Ints
    owners: Ints
    features: Mapping[int, Floats]

    def pictures(self, chosen: Mask) -> Ints:
        """Return the rows of the pictures of some items."""
        return np.flatnonzero(chosen[self.owners])


@dataclass(frozen=True)
class Speaker:
    """Heads and, by field, the confidence from which their values are said."""

    heads: Heads
    least: Mapping[str, float]


@dataclass(frozen=True)
class FieldReport:
    """What one field's heads were worth on items that they and their model had not seen.

    Attributes:
        name: Of the field.
        values: How many the heads of the whole catalogue know.
        accuracy: Share of pictures whose likeliest value is right; None where an item may have several values.
        majority: Share that has the commonest value; likewise.
        said: Share of all answers that are said, by the confidence of the fold they were judged on, as in captions.
        precision: Share of those that are right; None where nothing is said.
    """

    name: str
    values: int
    accuracy: float | None
    majority: float | None
    said: float
    precision: float | None


def cross_fit(
    material: Material, config: CatalogueConfig, *, seed: int, progress: Progress = SILENT
) -> tuple[dict[int, Speaker], list[FieldReport]]:
    """Return a speaker for each fold and for `WHOLE`, and what they are worth.

    Fold k's heads learn from the other folds in the space of the model that did not see fold k. Their penalty and
    confidences are judged in the spaces of up to three other models j, on their fold j, by heads that learned from
    neither j nor k.

    Args:
        material: `LEAST_FOLDS` folds or more.
        config: What is learned, and the precision that is wanted.
        seed: Draws the items where there are more than `config.most_items`.
        progress: Told of every set of heads.
    """
    folds = sorted({int(fold) for fold in material.folds})
    fit = _Fit(material, config, seed, progress)
    judges = min(_JUDGES, len(folds) - 1)
    progress.start("attribute heads", len(folds) * (1 + judges * len(config.penalty)) + 1)
    speakers, honest, spoken, chosen = {}, [], [], []
    for at, fold in enumerate(folds):
        others = [folds[(at + step) % len(folds)] for step in range(1, judges + 1)]
        judged = {
            penalty: joined([fit.judged(fit.heads(j, (j, fold), penalty), j) for j in others])
            for penalty in config.penalty
        }
        penalty = max(judged, key=lambda each: worth(judged[each]))
        heads = fit.heads(fold, (fold,), penalty)
        speakers[fold] = Speaker(heads, thresholds(judged[penalty], heads.fields, config.precision))
        found = fit.judged(heads, fold)
        honest.append(found)
        spoken.append(said_of(found, speakers[fold].least))
        chosen.append(penalty)
    heads, given = fit.heads(WHOLE, (), median_low(chosen)), joined(honest)
    speakers[WHOLE] = Speaker(heads, thresholds(given, heads.fields, config.precision))
    progress.finish()
    # By the confidences that the shop's captions are said from: those of the whole catalogue were chosen on these very
    # answers, and say of a small shop what no fold dares to.
    said = {name: np.concatenate([each[name] for each in spoken if name in each]) for name in given}
    return speakers, [_reported(field, given, said, material) for field in heads.fields]


class _Fit:
    def __init__(self, material: Material, config: CatalogueConfig, seed: int, progress: Progress) -> None:
        self._material, self._config, self._progress = material, config, progress
        self._order = np.random.default_rng(seed).permutation(len(material.items))

    def heads(self, space: int, without: tuple[int, ...], penalty: float) -> Heads:
        """Learn in one model's space from every fold but some."""
        material, config = self._material, self._config
        learn = ~np.isin(material.folds, without)
        kept = self._order[learn[self._order]][: config.most_items]
        learn = np.isin(np.arange(len(material.items)), kept)
        fields = fields_of([material.items[row] for row in np.flatnonzero(learn).tolist()], config)
        rows = material.pictures(learn)
        stated = [material.items[owner] for owner in material.owners[rows]]
        heads = fit_heads(material.features[space][rows], stated, fields, penalty=penalty)
        self._progress.advance()
        return heads

    def judged(self, heads: Heads, fold: int) -> dict[str, Answers]:
        """Return what heads answer about the pictures of a fold that neither they nor its model saw."""
        material = self._material
        rows = material.pictures(material.folds == fold)
        return answers(heads, material.features[fold][rows], [material.items[row] for row in material.owners[rows]])


def _reported(
    field: Field, given: Mapping[str, Answers], spoken: Mapping[str, Mask], material: Material
) -> FieldReport:
    name = field.name
    if name not in given or not len(given[name].right):
        return FieldReport(name, len(field.values), None, None, 0.0, None)
    right, said = given[name].right, spoken[name]
    told = [material.items[owner][name][0] for owner in material.owners if name in material.items[owner]]
    common = max(told.count(value) for value in field.values) / len(told)
    return FieldReport(
        name,
        len(field.values),
        None if field.several else float(right.mean()),
        None if field.several else common,
        float(said.mean()),
        float(right[said].mean()) if said.any() else None,
    )
