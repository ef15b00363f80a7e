"""A dialogue evaluation for machines and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eval.columns import aligned
from eval.dialogue.config import DialogueConfig
from eval.dialogue.judging import Row, Verdict, intervals
from eval.dialogue.reading import DialogueFile
from eval.intervals import Interval
from eval.together import together

LATE = 5
"""Turns from this one on are told together."""

EXAMPLES = 20
"""Rejected lines and missed titles in the JSON."""

HISTORY_MEANING = {
    "none": "the message alone",
    "read": "every earlier turn of the file as the history a client brings along",
    "said": "the shopper's earlier turns said in one session, the agent giving its own answers",
}


def dialogue_json(
    verdict: Verdict, file: DialogueFile, config: DialogueConfig, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the machine form: figures of every contender, over all and by turn, and all that was left out."""
    told, first = verdict.told, verdict.rows[0]
    return {
        "dialogue": {
            **provenance,
            "file": file.name,
            "file_sha256": file.sha256,
            "forms": list(file.forms),
            "config": config.model_dump(mode="json"),
            "dialogues": len(file.dialogues),
            "dialogues_judged": int(np.unique(verdict.dialogues).size),
            "moments": len(verdict.turns),
            "targets": {"found": told.found, "missed": dict(told.missed), "titles": _most(told.titles)},
            "skipped": dict(told.skipped),
            "rejected": {
                "lines": len(file.rejects),
                "reasons": dict(file.rejects.counts),
                "first": [
                    {"line": each.line, "reason": each.reason, "detail": each.detail}
                    for each in islice(file.rejects, EXAMPLES)
                ],
            },
            "contenders": {row.name: _contender(row, verdict, config) for row in verdict.rows},
            "differences": {
                f"{row.name} - {first.name}": _figures(row.values - first.values, verdict, config)
                for row in verdict.rows[1:]
            },
        }
    }


def dialogue_markdown(report: Mapping[str, Any]) -> str:
    """Return what a person reads."""
    told = report["dialogue"]
    header, rows = _table(told, told["contenders"])
    lines = [
        f"## Dialogues of {told['file']} on {told['dataset']}",
        "",
        *_left_out(told),
        "",
        *_markdown(header, rows),
        "",
        "### By the shopper's turn",
        "",
        *_markdown(*_by_turn(told)),
        "",
        "### Differences to the first row",
        "",
        *_markdown(*_table(told, {name: {"all": each} for name, each in told["differences"].items()}, sign=True)),
        "",
        *(f"- `history {name}`: {HISTORY_MEANING[name]}." for name in told["config"]["history"]),
        "",
        f"Means over moments, 95% intervals over dialogues ({told['config']['resamples']:,} resamples, seed "
        f"{told['config']['seed']}). Items mentioned before are no answer. Data {str(told['data_key'])[:12]}, file "
        f"{told['file_sha256'][:12]}, commit {told['commit'] or 'unknown'}.",
    ]
    return "\n".join(lines) + "\n"


def dialogue_text(report: Mapping[str, Any]) -> str:
    """Return the same for a terminal, without the intervals of every column."""
    told = report["dialogue"]
    metrics = list(next(iter(told["contenders"].values()))["all"])
    rows = [
        [name, f"{each['shown']:.1f}", *(f"{each['all'][metric]['mean']:.4f}" for metric in metrics)]
        for name, each in told["contenders"].items()
    ]
    head, by_turn = _by_turn(told)
    metric = _main(told)
    changes = [f"{metric}, {name}: {_interval(each[metric], sign=True)}" for name, each in told["differences"].items()]
    blocks = ["\n".join(_left_out(told)), "\n".join(aligned([["answers of", "items", *metrics], *rows], left=1))]
    blocks += ["\n".join(aligned([head, *by_turn], left=1)), "\n".join(changes)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_dialogue_report(folder: Path, report: Mapping[str, Any], also: Path | None = None) -> list[Path]:
    """Write `dialogue.json` and `dialogue.md` below `folder`, and the JSON to `also`; all of them or none.

    Raises:
        OSError: When one cannot be written; it names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    paths = {folder / "dialogue.json": whole, folder / "dialogue.md": dialogue_markdown(report)}
    if also is not None and also.resolve() != (folder / "dialogue.json").resolve():
        paths[also] = whole
    with together() as write:
        for path, text in paths.items():
            write(path, partial(_write_text, text))
    return list(paths)


def _contender(row: Row, verdict: Verdict, config: DialogueConfig) -> dict[str, Any]:
    late = np.minimum(verdict.turns, LATE)
    return {
        "all": _figures(row.values, verdict, config),
        "turns": {
            _turn_name(turn): {"moments": int(which.sum()), **_figures(row.values, verdict, config, which)}
            for turn in np.unique(late).tolist()
            for which in [late == turn]
        },
        "outcomes": dict(row.outcomes),
        "shown": row.shown,
    }


def _figures(
    values: np.ndarray[Any, Any], verdict: Verdict, config: DialogueConfig, which: Any = slice(None)
) -> dict[str, dict[str, float]]:
    found = intervals(values[which], verdict.dialogues[which], seed=config.seed, resamples=config.resamples)
    return {metric: asdict(each) for metric, each in zip(verdict.metrics, found, strict=True)}


def _left_out(told: Mapping[str, Any]) -> list[str]:
    """Say what was judged, and what could not be."""
    targets, rejected = told["targets"], told["rejected"]
    missed = sum(targets["missed"].values())
    lines = [
        f"{told['moments']:,} moments of {told['dialogues_judged']:,} dialogues judged ({told['dialogues']:,} read, "
        f"{', '.join(told['forms'])}). Of {targets['found'] + missed:,} targets {targets['found']:,} are items of the "
        f"shop{_reasons(targets['missed'], ', not mapped')}."
    ]
    if told["skipped"]:
        lines.append(f"Turns not judged{_reasons(told['skipped'], '')}.")
    if rejected["lines"]:
        first = rejected["first"][0]
        reasons = _reasons(rejected["reasons"], "")
        lines.append(f"Lines rejected{reasons} (first: line {first['line']}: {first['detail']}).")
    return lines


def _reasons(counts: Mapping[str, int], word: str) -> str:
    return f"{word}: " + ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) if counts else ""


def _table(
    told: Mapping[str, Any], rows: Mapping[str, Any], *, sign: bool = False
) -> tuple[list[str], list[list[str]]]:
    metrics = list(next(iter(told["contenders"].values()))["all"])
    cells = [[name, *(_interval(each["all"][metric], sign=sign) for metric in metrics)] for name, each in rows.items()]
    return ["", *metrics], cells


def _by_turn(told: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return one row a turn and one column a contender, by one metric."""
    contenders = told["contenders"]
    metric = _main(told)
    turns = next(iter(contenders.values()))["turns"]
    rows = [
        [turn, str(figures["moments"]), *(f"{each['turns'][turn][metric]['mean']:.4f}" for each in contenders.values())]
        for turn, figures in turns.items()
    ]
    return [f"{metric} at turn", "moments", *contenders], rows


def _main(told: Mapping[str, Any]) -> str:
    """Return the metric that stands for all where one must do."""
    ks = told["config"]["ks"]
    return f"ndcg@{10 if 10 in ks else ks[-1]}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def _interval(value: Mapping[str, float] | Interval, *, sign: bool = False) -> str:
    mean, low, high = value.values() if isinstance(value, Mapping) else (value.mean, value.low, value.high)
    plus = "+" if sign else ""
    return f"{mean:{plus}.4f} [{low:{plus}.4f}, {high:{plus}.4f}]"


def _turn_name(turn: int) -> str:
    return f"{turn} and later" if turn == LATE else str(turn)


def _most(titles: Any) -> dict[str, int]:
    return dict(titles.most_common(EXAMPLES))


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
