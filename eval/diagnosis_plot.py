"""The curves of `--diagnose` as a picture: gradients, the way that is left, and what each half is worth."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLOURS = {"ids": "#c44e52", "features": "#4c72b0", "both": "#333333", "alone": "#dd8452"}
PANELS = (
    ("gradient", "length of the gradient"),
    ("remaining", "share of the way left"),
    ("valid", "validation {metric}"),
)


def draw_diagnosis(diagnosis: Mapping[str, Any], path: Path) -> None:
    """Write a PNG with one row of panels a model, the first seed's run in each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    models = diagnosis["models"]
    figure = Figure(figsize=(11, 3.1 * len(models)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(models), len(PANELS), squeeze=False)
    for row, (name, found) in zip(panels, models.items(), strict=True):
        run = found["runs"][0]
        for panel, (curve, title) in zip(row, PANELS, strict=True):
            lines = dict(run[curve])
            if curve == "valid" and run["alone"]:
                lines["alone"] = run["alone"]
            for part, values in lines.items():
                label = "ids trained alone" if part == "alone" else part
                panel.plot(range(1, len(values) + 1), values, color=COLOURS[part], label=label)
            if curve == "gradient":
                panel.set_yscale("log")
            panel.set_title(f"{name}: {title.format(metric=diagnosis['metric'])}", fontsize=9)
            panel.set_xlabel("epoch", fontsize=8)
            panel.tick_params(labelsize=8)
            panel.legend(fontsize=7)
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=110)
    path.write_bytes(whole.getvalue())
