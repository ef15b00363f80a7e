"""What a step is told: which text is whose, which words are alike, and what each item is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def contrastive(
    pictures: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, not_negatives: torch.Tensor
) -> torch.Tensor:
    """Return the mean of both directions' cross-entropy.

    Args:
        pictures: (b, d) unit vectors.
        texts: (b, d) unit vectors, row by row theirs.
        scale: What cosines are multiplied by, open_clip's `logit_scale.exp()`.
        not_negatives: (b, b) texts (columns) that do not count against a picture (rows); the diagonal always counts
            for it.

    Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021, figure 3; the
        mask is ours.
    """
    import torch
    from torch.nn import functional

    own = torch.eye(len(pictures), dtype=torch.bool, device=pictures.device)
    scores = (scale * pictures @ texts.T).masked_fill(not_negatives & ~own, float("-inf"))
    target = torch.arange(len(pictures), device=pictures.device)
    return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2


def classified(heads: torch.nn.ModuleList, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the fields that any item of the step states.

    Args:
        heads: One linear layer a field.
        features: (b, w) what the heads read.
        labels: (b, fields) classes; -1 is not stated.
    """
    import torch
    from torch.nn import functional

    told = [at for at in range(len(heads)) if bool((labels[:, at] >= 0).any())]
    if not told:
        return features.new_zeros(())
    each = [functional.cross_entropy(heads[at](features), labels[:, at], ignore_index=-1) for at in told]
    return torch.stack(each).mean()
