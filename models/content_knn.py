"""`ContentKNN`: items like those a shopper took, by what they look and read like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from catalog.ids import IdMap
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.base import TrainingData
from models.history_model import HistoryConfig, HistoryModel
from models.item_features import ItemFeatures, later_features, training_features
from models.nearest import nearest
from models.sparse_rows import csr_of, csr_parts, widened
from models.training_checks import require_differences


class ContentKNNConfig(HistoryConfig):
    """Settings of `ContentKNN`."""

    neighbours: int = Field(50, ge=1)
    """How many most similar items each item keeps."""


class ContentKNN(HistoryModel[ContentKNNConfig]):
    """Scores an item by its cosine to what the shopper took: `score(u, j) = sum over i in history(u) of sim(i, j)`.

    `sim` is the mean over modalities of the cosine of centred vectors, of the `neighbours` best of each item;
    negative similarities count nothing. Interactions are not read but for the histories, so that a new item
    stands on equal terms: the floor that a model of content and behaviour has to beat.

    Source:
        Lops, de Gemmis and Semeraro, "Content-based recommender systems", Recommender Systems Handbook, 2011.
    """

    name = "content_knn"
    config_kind = ContentKNNConfig

    def __init__(self, config: ContentKNNConfig | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()

    def _learn(
        self, data: TrainingData, history: sparse.csr_array, *, seed: int, progress: Progress
    ) -> dict[str, npt.NDArray[Any]]:
        features = training_features(self.name, data.modalities, data.train.items)
        self.modalities = tuple(features.means)
        unit = _unit(features)
        if not unit.any():
            # One modality without differences is silent beside the others; here every score would be 0.
            for role, table in data.modalities.items():
                require_differences(self.name, role, table, features.inputs[role] - features.means[role])
        means = {f"mean.{role}": mean for role, mean in features.means.items()}
        found = nearest(unit, unit, self.config.neighbours + 1, np.arange(len(unit)))[:, 1:]
        return {"content": unit, **means, **csr_parts("similar", _similar(found, unit, unit))}

    def _apply(self, taken: sparse.csr_array) -> Floats:
        scores: Floats = (taken @ self._edges()).toarray().astype(np.float32, copy=False)
        return scores

    def _edges(self) -> sparse.csr_array:
        parts = tuple(self._arrays[f"similar.{part}"] for part in ("data", "indices", "indptr"))
        n = len(parts[2]) - 1
        return csr_of(parts, (n, n))

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> bool:
        n, total = len(self.items), len(self.items) + len(new)
        edges = self._edges()
        if not modalities.keys() & set(self.modalities):
            padded = np.pad(self._arrays["content"], ((0, len(new)), (0, 0)))
            self._arrays = {
                **self._arrays, "content": padded, **csr_parts("similar", widened(edges, (total, total))),
            }  # fmt: skip
            return False
        means = {role: self._arrays[f"mean.{role}"] for role in self.modalities}
        own = _unit(later_features(self.name, modalities, new, means))
        content = np.concatenate([self._arrays["content"], own])
        found = nearest(own, content, self.config.neighbours + 1, np.arange(n, total))[:, 1:]
        rows = _similar(found, own, content)  # (n_new, total): what each new item speaks for
        joined = sparse.vstack([widened(edges, (n, total)), rows], format="csr")
        back = sparse.vstack([csr_of((n, total), (n, total)), rows], format="csr").T  # and who speaks for it
        back = csr_of(back, (total, total))
        back.data[back.indices < n] = 0  # edges among the known stay as they were
        merged = csr_of(csr_of(joined, (total, total)).maximum(back), (total, total))
        self._arrays = {**self._arrays, "content": content, **csr_parts("similar", merged)}
        return True

    def _meta(self) -> dict[str, Any]:
        return {"modalities": list(self.modalities)}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        self.modalities = tuple(meta["modalities"])


def _unit(features: ItemFeatures) -> Floats:
    """Return centred modalities side by side such that the inner product is their mean cosine."""
    parts = [unit_rows(table - features.means[role]) for role, table in features.inputs.items()]
    return np.concatenate(parts, axis=1) / np.float32(np.sqrt(len(parts)))


def _similar(found: npt.NDArray[np.int64], queries: Floats, corpus: Floats) -> sparse.csr_array:
    """Return the cosines of the found neighbours, (n_queries, n_corpus); negative ones are left out."""
    at, place = np.nonzero(found >= 0)
    other = found[at, place]
    cosine = np.einsum("nd,nd->n", queries[at], corpus[other])
    kept = cosine > 0
    shape = (len(queries), len(corpus))
    return csr_of((cosine[kept], (at[kept], other[kept])), shape)
