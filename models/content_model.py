"""`ContentModel`: pairwise models that read features and place new items by them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats
from models.base import FitReport, TrainingData, Validate
from models.item_features import ItemFeatures, later_features, training_features
from models.pairwise import PairwiseConfig, PairwiseModel

if TYPE_CHECKING:
    from models.pairwise_training import Network

Config = TypeVar("Config", bound=PairwiseConfig)


class ContentModel(PairwiseModel[Config]):
    """Reads any number of modalities; `modalities` are those trained on, in order.

    A subclass returns its network from `_content_network`; the network's constants hold `mean.<modality>`.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.modalities: tuple[str, ...] = ()

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Train; with `validate`, keep the best epoch. The same seed, data and thread count give the same bytes.

        Raises:
            DataError: When there is no positive or no modality, a modality has none of the items, or a size
                limit is exceeded.
        """
        report = super().fit(data, validate=validate, seed=seed, progress=progress)
        self.modalities = tuple(data.modalities)
        return report

    @abstractmethod
    def _content_network(self, data: TrainingData, features: ItemFeatures) -> Network:
        """Return a freshly initialised network; called under the fit's seed."""

    @abstractmethod
    def _rows_of(self, features: ItemFeatures) -> Floats:
        """Return rows (n_new, width) of items that were not trained on; may grow other tables as well."""

    def _network(self, data: TrainingData) -> Network:
        return self._content_network(data, training_features(self.name, data.modalities, data.train.items))

    def _place(self, modalities: Mapping[str, EmbeddingTable], new: IdMap) -> Floats | None:
        if not modalities.keys() & set(self.modalities):
            return None
        means = {name: self._arrays[f"mean.{name}"] for name in self.modalities}
        return self._rows_of(later_features(self.name, modalities, new, means))

    def _meta(self) -> dict[str, Any]:
        return {"modalities": list(self.modalities)}

    def _restore(self, meta: Mapping[str, Any]) -> None:
        self.modalities = tuple(meta["modalities"])
