"""From which confidence a field's values are said, by what they were worth on items that nobody had seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from captioning.catalogue.fields import Field, Stated
from captioning.catalogue.heads import Heads
from catalog.vectors import Floats, Mask

NEVER = math.inf
"""A confidence that nothing reaches."""
_LEAST = 10
"""Answers that must stand above a threshold before it is believed."""


@dataclass(frozen=True)
class Answers:
    """What heads answered about items they had not seen, of one field.

    Attributes:
        confidence: (n,) of each answer.
        right: (n,) whether the shop states that value.
    """

    confidence: Floats
    right: Mask


def answers(heads: Heads, features: Floats, items: Sequence[Stated]) -> dict[str, Answers]:
    """Return the answers of each field about items that state it: the likeliest value, or each one of several.

    Args:
        heads: Who answers.
        features: (n, w) of pictures they were not trained on.
        items: (n,) what is stated of them.
    """
    found = {}
    for field, likely in zip(heads.fields, heads.probabilities(features), strict=True):
        told = [row for row, item in enumerate(items) if field.name in item]
        if field.several:
            own = likely[told]
            right = np.array([[v in items[row][field.name] for v in field.values] for row in told], np.bool_)
            found[field.name] = Answers(own.ravel(), right.reshape(-1))
        else:
            best = likely[told].argmax(1) if told else np.zeros(0, np.int64)
            right = np.array(
                [field.values[b] == items[row][field.name][0] for b, row in zip(best, told, strict=True)], np.bool_
            )
            found[field.name] = Answers(likely[told].max(1) if told else np.zeros(0, np.float32), right)
    return found


def joined(parts: Sequence[dict[str, Answers]]) -> dict[str, Answers]:
    """Return the answers of several heads as one, by field."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: Answers(
            np.concatenate([part[name].confidence for part in parts if name in part]),
            np.concatenate([part[name].right for part in parts if name in part]),
        )
        for name in names
    }


def worth(given: Mapping[str, Answers]) -> float:
    """Return how often answers are right, the mean of the fields; 0 without any."""
    shares = [float(each.right.mean()) for each in given.values() if len(each.right)]
    return sum(shares) / len(shares) if shares else 0.0


def threshold(given: Answers, precision: float) -> float:
    """Return the lowest confidence from which `precision` of the answers are right; `NEVER` where none is.

    One answer more than there are counts as wrong, so that a few lucky ones prove nothing.
    """
    order = np.argsort(-given.confidence, kind="stable")
    sure, right = given.confidence[order], np.cumsum(given.right[order])
    said = np.arange(1, len(order) + 1)
    # Answers of one confidence are said together or not at all.
    last = np.append(sure[1:] < sure[:-1], True) if len(sure) else np.zeros(0, np.bool_)
    good = (right / (said + 1) >= precision) & (said >= _LEAST) & last
    return float(sure[np.flatnonzero(good)[-1]]) if good.any() else NEVER


def thresholds(given: dict[str, Answers], fields: Sequence[Field], precision: float) -> dict[str, float]:
    """Return the threshold of each field; one without answers is never said."""
    return {f.name: threshold(given[f.name], precision) if f.name in given else NEVER for f in fields}


def said_of(given: Mapping[str, Answers], least: Mapping[str, float]) -> dict[str, Mask]:
    """Return which answers of each field are said; none of a field without a confidence."""
    return {name: each.confidence >= least.get(name, NEVER) for name, each in given.items()}
