"""A scoreboard as JSON for machines and Markdown for people, with what is needed to make it again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.captions.agreement import Agreement
from eval.captions.board import Scoreboard, Section, Tested
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import Contender
from eval.captions.cost import Cost
from eval.captions.wording import (
    ALPHA,
    agreement_line,
    anew_line,
    making_rows,
    place_line,
    section_rows,
    section_title,
    seen_line,
    told_apart,
)
from eval.intervals import Interval, bootstrap_interval
from eval.report import LABELS, Origin, commit
from eval.together import together

POINT = 0.01
"""What cost is counted against: one hundredth of the metric."""


def scoreboard_json(
    board: Scoreboard,
    agreements: Sequence[Agreement],
    contenders: Sequence[Contender],
    config: ScoreboardConfig,
    *,
    dataset: str,
    origin: Origin,
    data_key: str,
    protocol: str,
    split: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the machine form: contenders and what they cost, sections with gains and tests, agreement, provenance."""
    costs = {each.name: each.cost for each in contenders}
    return {
        "report": "caption scoreboard",
        "dataset": dataset,
        "protocol": protocol,
        "label": LABELS[origin],
        "metric": config.metric,
        "contenders": {each.name: _contender_json(each) for each in contenders},
        "sections": [_section_json(section, costs, config) for section in board.sections],
        "absent": board.absent,
        "agreement": [_agreement_json(each) for each in agreements],
        "regularisation": board.regularisation,
        "split": dict(split),
        "data_key": data_key,
        "config": config.model_dump(mode="json"),
        "commit": commit(),
        "version": version("vitrine"),
    }


def _contender_json(contender: Contender) -> dict[str, Any]:
    return {
        "captioner": contender.captioner,
        "prompt": contender.prompt,
        "embedder": contender.embedder,
        "items": len(contender.table.ids),
        "width": contender.table.dim,
        "stale": contender.stale,
        "learned_anew": contender.learned_anew,
        "cost": None if contender.cost is None else _cost_json(contender.cost, 1.0),
    }


def _section_json(section: Section, costs: Mapping[str, Cost | None], config: ScoreboardConfig) -> dict[str, Any]:
    over_base = {each.a: each for each in section.against_base}
    over_control = {each.a: each for each in section.against_control}
    lines = []
    for line in section.lines:
        found = bootstrap_interval(line.values, seed=config.seed, resamples=config.resamples)
        row = {
            "name": line.name,
            "kind": line.kind,
            **_interval_json(found),
            "valid": _finite(line.valid),
            "weights": list(line.weights),
            "seconds": round(line.seconds, 3),
        }
        if line.kind in ("contender", "random"):
            row["gain"] = _tested_json(over_base[line.name])
        if line.kind == "shuffled":
            gain = bootstrap_interval(line.values - section.lines[0].values, seed=config.seed)
            row["gain"] = {"difference": _finite(gain.mean), "ci95": _interval_json(gain)["ci95"]}
        if line.kind == "contender":
            row["gain_over_control"] = _tested_json(over_control[line.name])
            row["a_point"] = _a_point(costs.get(line.name), over_base[line.name])
        lines.append(row)
    return {
        "part": section.part,
        "source": section.source,
        "ground": section.ground,
        "ground_weight": section.ground_weight,
        "users": len(section.users),
        "items": section.items,
        "rows": section.rows,
        "seen": dict(section.seen),
        "lines": lines,
        "between": [{"a": each.a, "b": each.b, **_tested_json(each)} for each in section.between],
    }


def _a_point(cost: Cost | None, tested: Tested) -> dict[str, Any] | None:
    """Return the cost of a hundredth, None where the cost is not known or no gain is told from none."""
    gain = tested.paired.difference.mean
    bought = gain > 0 and tested.corrected < ALPHA
    return _cost_json(cost, POINT / gain) if cost is not None and bought else None


def _cost_json(cost: Cost, share: float) -> dict[str, Any]:
    return {
        "seconds": cost.seconds * share,
        "prompt_tokens": round(cost.prompt * share),
        "completion_tokens": round(cost.completion * share),
        "money": None if cost.money is None else cost.money * share,
    }


def _tested_json(tested: Tested) -> dict[str, Any]:
    found = _interval_json(tested.paired.difference)
    return {"difference": found["mean"], "ci95": found["ci95"], "p": tested.paired.p, "holm": tested.corrected}


def _interval_json(found: Interval) -> dict[str, Any]:
    return {"mean": _finite(found.mean), "ci95": [_finite(found.low), _finite(found.high)]}


def _agreement_json(found: Agreement) -> dict[str, Any]:
    entries = zip(found.entries, found.probe, found.model, strict=True)
    return {
        "ground": found.ground,
        "entries": [
            {"name": entry.name, "kind": entry.kind, "probe": float(probe), "model": float(model)}
            for entry, probe, model in entries
        ],
        "kendall": _interval_json(found.kendall),
        "spearman": _interval_json(found.spearman),
        "among_contenders": _interval_json(found.among_contenders),
        "clear_pairs": found.clear_pairs,
        "clear_alike": found.clear_alike,
        "fit_seconds": round(found.seconds, 1),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def scoreboard_markdown(report: Mapping[str, Any]) -> str:
    """Return the whole scoreboard as Markdown, every interval included."""
    lines = [f"## Caption scoreboard: {report['dataset']}, protocol `{report['protocol']}` ({report['label']})", ""]
    lines += _table(making_rows(report))
    for section in report["sections"]:
        lines += ["", f"### {section_title(section)}", "", *_table(section_rows(section, report["metric"]))]
        for said in (told_apart(section), seen_line(section)):
            lines += ["", said] if said else []
    if anew := anew_line(report):
        lines += ["", anew]
    for found in report["agreement"]:
        lines += ["", agreement_line(found, report)]
        rows = [["entry", "probe", report["config"]["check"]]]
        rows += [[_entry(each), f"{each['probe']:.4f}", f"{each['model']:.4f}"] for each in found["entries"]]
        lines += ["", *_table(rows)]
    return "\n".join([*lines, "", place_line(report), ""])


def _entry(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']} (shuffled)" if entry["kind"] == "shuffled" else str(entry["name"])


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    header, *body = rows
    return ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *body]]


def write_scoreboard(folder: Path, name: str, report: Mapping[str, Any], also: Path | None = None) -> list[Path]:
    """Write `<name>.json`, `.md` and `.png` below `folder`, and the JSON to `also`; all of them or none.

    Raises:
        OSError: When one cannot be written; it names the file.
    """
    from eval.captions.plot import draw_scoreboard

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{end}" for end in ("json", "md", "png")]
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    with together() as write:
        write(paths[0], partial(_write_text, text))
        write(paths[1], partial(_write_text, scoreboard_markdown(report)))
        write(paths[2], partial(draw_scoreboard, report))
        if also is not None and also.resolve() != paths[0].resolve():
            write(also, partial(_write_text, text))
            paths.append(also)
    return paths


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
