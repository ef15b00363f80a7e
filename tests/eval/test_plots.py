"""The picture of a report, by its pixels: which panels there are and which colours stand in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from eval.plots import COLOURS, draw


def row(mean: float, history: list[float]) -> dict[str, Any]:
    metrics = {
        "ndcg@20": {"mean": mean, "ci95": [mean - 0.1, mean + 0.1], "seeds": None},
        "coverage@10": {"mean": 1 - mean, "ci95": [1 - mean, 1 - mean], "seeds": None},
    }
    return {"metrics": metrics, "epochs": len(history), "fit_seconds": 1.0, "history": [history]}


def pixels(path: Path, **changes: Any) -> np.ndarray:
    """Draw three models, the last of which learns by epochs, and return the picture (height, width, 3)."""
    models = {"popularity": row(0.2, []), "sequence_tower": row(0.3, [0.1, 0.9]), "als": row(0.4, [0.1, 0.2, 0.3])}
    report = {"dataset": "d", "protocol": "last", "n_users": 3, "label": "l", "models": models}
    draw({**report, "config": {"select_by": "recall@20"}, "by_trial": ["sequence_tower"], **changes}, path)
    return np.asarray(Image.open(path).convert("RGB"))


def holds(part: np.ndarray, colour: str) -> bool:
    return bool((part == np.array(ImageColor.getrgb(colour))).all(axis=2).any())


def test_a_model_has_one_colour_in_every_panel(tmp_path: Path) -> None:
    picture = pixels(tmp_path / "a.png")
    left, middle, right = np.array_split(picture, 3, axis=1)
    assert all(holds(left, colour) and holds(middle, colour) for colour in COLOURS[:3])
    assert holds(right, COLOURS[2]) and not holds(right, COLOURS[0]), "als is the third in the last panel too"


def test_settings_that_were_tried_are_no_course_of_epochs(tmp_path: Path) -> None:
    right = np.array_split(pixels(tmp_path / "a.png"), 3, axis=1)[2]
    assert not holds(right, COLOURS[1])
    drawn = np.array_split(pixels(tmp_path / "b.png", by_trial=[]), 3, axis=1)[2]
    assert holds(drawn, COLOURS[1])
    nothing = pixels(tmp_path / "c.png", by_trial=["sequence_tower", "als"])
    assert nothing.shape[1] < pixels(tmp_path / "d.png").shape[1], "without a course there is no panel for it"
