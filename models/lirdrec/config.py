"""Settings of LIRDRec."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LIRDRecConfig(BaseModel):
    """Settings of `LIRDRec`; the preset `lirdrec-exact` is the reference, its arithmetic and its settings.

    Source:
        arXiv 2505.04960, sections 3 and 4; `docs/recommenders.md` writes the model out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dim: int = Field(64, ge=4)
    """Width d of one branch; a user or item row is (modalities + 1) * d wide."""

    n_ui_layers: int = Field(2, ge=1)
    """Layers L of propagation over the user-item graph."""

    neighbours: int = Field(10, ge=1)
    """Edges k an item has in each modality's graph, the item itself among them."""

    graph_weight: float = Field(0.1, ge=0, le=1)
    """Weight w of the first modality's graph; the others share 1 - w. A single modality has weight 1."""

    regularisation: float = Field(1e-4, ge=0)
    """lambda, on the mean squares of the final user and item tables."""

    learning_rate: float = Field(1e-3, gt=0)
    """Step size of Adam."""

    batch_size: int | None = Field(None, ge=1)
    """Triples (user, taken item, sampled item) a step; None: eight equal steps an epoch (fewer of at least 512
    triples for small data), so that an epoch walks the whole graph eight times however large it is."""

    loss: Literal["bpr", "softmax"] = "bpr"
    """`bpr`: the taken item above one sampled item. `softmax`: above `negatives` items shared by the step."""

    negatives: int = Field(1024, ge=1)
    """With `softmax`: items drawn uniformly for a step, all of them where there are no more."""

    temperature: float = Field(0.2, gt=0)
    """With `softmax`: scores are divided by it."""

    copy_weight: float = Field(0.9, gt=0, lt=1)
    """w1 before the first epoch: how much the scorers count against the copied weights (1 - w1)."""

    copy_decay: float = Field(0.9, gt=0, le=1)
    """Base b of the decay of w1: epoch e multiplies it by b ** e before both are scaled to sum 1."""

    patience: int = Field(20, ge=1)
    """Epochs without a better validation value after which training stops."""

    max_epochs: int = Field(1000, ge=1)
    """Epochs at most when there is a validation to stop by."""

    epochs: int = Field(100, ge=1)
    """Epochs when there is no validation."""

    transformation: bool = True
    """Whether a branch sees all modalities through the cosine transform."""

    copying: bool = True
    """Progressive weight copying; without it the scorers alone weigh a shopper's branches (w1 = 1, w2 = 0)."""

    item_graph: bool = True
    """Whether items gather from the items their features are nearest to."""

    ids: bool = False
    """Adds a branch of learned item rows beside those read from features, with users and scorer of its own."""

    reduction: Literal["principal", "none"] = "principal"
    """`principal`: encoders read `components` principal components of each modality; `none`: the vectors as they are,
    as the paper has it. The graph of alike items is always that of the vectors as they are."""

    components: int | None = Field(None, ge=1)
    """Principal components a modality keeps; None: one for every 48 items, at least 64."""

    whitening: float = Field(1.0, ge=0, le=1)
    """With `principal`: how far components are brought to one spread, so that Adam learns from the small ones at the
    rate of the large: each is divided by its standard deviation to this power."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """What the encoders' wide products multiply: `bfloat16` keeps the features at half the memory and rounds them and
    the weights to eight bits as they are multiplied; sums, parameters and all else stay float32."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training runs; `auto` takes a GPU where torch finds one. What is served needs neither."""

    recent_weight: float = Field(0.0, ge=0, le=1)
    """Serving only: share of the recent items' own row beside what the longer history propagates to a known shopper."""

    against_weight: float = Field(0.5, ge=0, le=10)
    """Serving only: how strongly an item spoken against pushes, beside one that was liked."""
