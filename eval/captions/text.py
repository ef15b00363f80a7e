"""A scoreboard on a terminal: columns that line up and fit its width. The `.md` file has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.captions.wording import (
    agreement_line,
    anew_line,
    making_rows,
    place_line,
    section_rows,
    section_title,
    seen_line,
    told_apart,
)
from eval.columns import blocks, wrapped
from eval.report_text import NARROW


def scoreboard_text(report: Mapping[str, Any], width: int = 100) -> str:
    """Return what a person reads on a terminal of `width` columns."""
    width = max(width, NARROW)
    title = f"Caption scoreboard: {report['dataset']}, protocol {report['protocol']} ({report['label']})"
    lines = wrapped(title, width)
    for block in blocks(making_rows(report), width):
        lines += ["", *block]
    for section in report["sections"]:
        lines += ["", *wrapped(section_title(section), width)]
        for block in blocks(section_rows(section, report["metric"]), width):
            lines += ["", *block]
        for said in (told_apart(section), seen_line(section)):
            lines += ["", *wrapped(said, width)] if said else []
    if anew := anew_line(report):
        lines += ["", *wrapped(anew, width)]
    for found in report["agreement"]:
        lines += ["", *wrapped(agreement_line(found, report), width)]
    return "\n".join([*lines, "", *wrapped(place_line(report), width)]) + "\n"
