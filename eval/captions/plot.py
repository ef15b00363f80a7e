"""A scoreboard's picture: one panel a section, gains with their intervals beside those of the controls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.captions.wording import MARK, ranked_first, section_title
from eval.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS_A_ROW = 2


def draw_scoreboard(report: Mapping[str, Any], path: Path) -> None:
    """Write the picture as PNG; the same report gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sections = report["sections"]
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(report["contenders"])}
    n_rows = -(-len(sections) // PANELS_A_ROW)
    most = max(len(section["lines"]) for section in sections)
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "x"}):
        size = (5.6 * min(len(sections), PANELS_A_ROW), n_rows * max(2.0, 0.22 * most + 1.2))
        figure = Figure(figsize=size, layout="constrained", dpi=120)
        panels = figure.subplots(n_rows, min(len(sections), PANELS_A_ROW), squeeze=False).ravel()
        for axes, section in zip(panels, sections, strict=False):
            _panel(axes, section, report["metric"], colours)
        for axes in panels[len(sections) :]:
            axes.set_visible(False)
        figure.suptitle(
            f"Caption scoreboard: {report['dataset']}, protocol {report['protocol']} ({report['label']})", fontsize=9
        )
        figure.savefig(path, format="png", metadata={"Software": None})


def _panel(axes: Axes, section: Mapping[str, Any], metric: str, colours: Mapping[str, str]) -> None:
    """Draw what each line buys over the base: the mean difference and its paired interval; controls hollow."""
    rows = [line for line in reversed(ranked_first(section)) if line["kind"] != "base"]
    labels = []
    for at, line in enumerate(rows):
        colour, hollow = colours.get(line["name"], "0.4"), line["kind"] != "contender"
        axes.plot(line["gain"]["ci95"], [at, at], color=colour, linewidth=1.0 if hollow else 1.8)
        face = "white" if hollow else colour
        axes.plot(line["gain"]["difference"], at, "o", color=colour, markersize=4.5, markerfacecolor=face)
        name = f"{line['name']}{MARK}" if line["name"] in section["seen"] else line["name"]
        labels.append(f"{name} (shuffled)" if line["kind"] == "shuffled" else name)
    axes.axvline(0.0, color="0.4", linewidth=0.8)
    axes.set_yticks(range(len(rows)), labels)
    base = section["lines"][0]
    axes.set_xlabel(f"{metric} over {base['name']} ({base['mean']:.4f}), paired 95% interval")
    title, _, counts = section_title(section).rpartition(": ")
    axes.set_title(f"{title.partition(' (')[0]}, on {section['ground']}: {counts}", fontsize=8)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
