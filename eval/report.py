"""A report: JSON for machines, Markdown for people, with everything needed to make it again."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from eval.audit import audit_line
from eval.config import EvalConfig
from eval.contenders import contender
from eval.diagnosis import diagnosis_markdown
from eval.table import Row, Table

Origin = Literal["published", "import", "generated"]

LABELS: Mapping[Origin, str] = {
    "published": "real data, measured here",
    "import": "your data, measured here",
    "generated": "generated shop, plumbing",
}


def report_json(
    table: Table, *, dataset: str, origin: Origin, data_key: str, modalities: Mapping[str, str], config: EvalConfig
) -> dict[str, Any]:
    """Return the machine form: `{"dataset", "protocol", "n_users", "models": {name: {...}}}` and provenance."""
    return {
        "dataset": dataset,
        "protocol": table.protocol,
        "n_users": table.n_users,
        "n_cold_users": table.n_cold_users,
        "label": LABELS[origin],
        "models": {row.name: _row_json(row) for row in table.rows},
        "refused": dict(table.refused),
        "unvalidated": list(table.unvalidated),
        "cold": _cold(table),
        "paired": [
            {
                "a": c.a,
                "b": c.b,
                "metric": c.metric,
                "difference": _finite(c.paired.difference.mean),
                "ci95": [_finite(c.paired.difference.low), _finite(c.paired.difference.high)],
                "p": c.paired.p,
            }
            for c in table.comparisons
        ],
        "data_key": data_key,
        "modalities": dict(modalities),
        "readers": _readers(modalities, config),
        "by_trial": [
            model for model in config.models if hasattr(getattr(contender(model), "config", None), "max_trials")
        ],
        "config": config.model_dump(mode="json"),
        "commit": commit(),
        "version": version("vitrine"),
    }


def _cold(table: Table) -> dict[str, Any]:
    """Return the first metric of users with a history and of users without, where a protocol keeps both."""
    metric = next((m for row in table.rows for m in row.values), None)
    if metric is None or not table.cold_users:
        return {}
    groups: dict[str, Any] = {}
    for row in table.rows:
        cold = np.array([user in table.cold_users for user in row.users])
        for group, inside in (("with a history", ~cold), ("without a history", cold)):
            found = groups.setdefault(group, {"users": int(inside.sum()), "metric": metric, "models": {}})
            found["models"][row.name] = _finite(float(row.values[metric][inside].mean())) if inside.any() else None
    return groups


def _row_json(row: Row) -> dict[str, Any]:
    metrics = {
        name: {"mean": _finite(i.mean), "ci95": [_finite(i.low), _finite(i.high)], "seeds": _spread(row, name)}
        for name, i in row.intervals.items()
    }
    one = len(row.seeds) == 1
    return {
        "metrics": metrics,
        "seed": row.seeds[0] if one else list(row.seeds),
        "epochs": row.epochs[0] if one else list(row.epochs),
        "fit_seconds": round(row.fit_seconds, 3),
        "history": [list(series) for series in row.histories],
    }


def _spread(row: Row, metric: str) -> list[float | None] | None:
    """Return the least and the greatest mean of a single seed, None where there was one."""
    return [_finite(value) for value in row.spread[metric]] if len(row.seeds) > 1 else None


def report_markdown(report: Mapping[str, Any]) -> str:
    """Return the whole table as Markdown, every interval included."""
    metrics = list(next(iter(report["models"].values()))["metrics"])
    lines = [
        f"## {report['dataset']}, protocol `{report['protocol']}`, {report['n_users']} users ({report['label']})",
        "",
        "| model | " + " | ".join(metrics) + " | epochs | fit s |",
        "|---" * (len(metrics) + 3) + "|",
    ]
    for name, row in report["models"].items():
        cells = [_cell(row["metrics"][m]) for m in metrics]
        lines.append(
            f"| {name} | " + " | ".join(cells) + f" | {epochs_text(report, name)} | {row['fit_seconds']:.1f} |"
        )
    for said in (unvalidated_line(report), seeds_line(report, metrics[0]), *cold_lines(report)):
        lines += ["", said] if said else []
    if report.get("refused"):
        lines += ["", *(f"- no row for {name}: {why}" for name, why in report["refused"].items())]
    if published := published_line(report):
        lines += ["", published]
    if report["paired"]:
        lines += ["", "Paired randomisation tests on the same users:", ""]
    for pair in report["paired"]:
        low, high = map(signed, pair["ci95"])
        lines.append(
            f"- {pair['a']} against {pair['b']}: {pair['metric']} {signed(pair['difference'])} "
            f"[{low}, {high}], p = {pair['p']:.4f}"
        )
    lines += ["", closing_line(report)]
    if "audit" in report:
        lines += ["", audit_line(report["audit"])]
    if "diagnosis" in report:
        lines += ["", diagnosis_markdown(report["diagnosis"]).rstrip()]
    return "\n".join(lines) + "\n"


def epochs_text(report: Mapping[str, Any], name: str) -> str:
    """Return the epochs of a row's fits, least and greatest as `21-24`; of models that try settings, `24 trials`."""
    epochs: int | Sequence[int] = report["models"][name]["epochs"]
    each = [epochs] if isinstance(epochs, int) else list(epochs)
    least, most = min(each), max(each)
    said = str(most) if least == most else f"{least}-{most}"
    if model_of(name) not in report.get("by_trial", ()):
        return said
    return f"{said} trial" if most == 1 else f"{said} trials"


def model_of(row: str) -> str:
    """Return the model of a row; a control is written `model (what was changed)`."""
    return row.partition(" (")[0]


def signed(value: float | None) -> str:
    """Return a difference with its sign, `none` where no user has both values."""
    return "none" if value is None else f"{value:+.4f}"


def unvalidated_line(report: Mapping[str, Any]) -> str:
    """Say which models nothing stopped early, nothing where there was a validation part."""
    names = ", ".join(report.get("unvalidated", ()))
    return f"No user has a validation row: {names} took the default epochs or settings, unchosen." if names else ""


def seeds_line(report: Mapping[str, Any], metric: str) -> str:
    """Say how far single seeds lie apart, nothing where there was one."""
    spreads = {name: row["metrics"][metric].get("seeds") for name, row in report["models"].items()}
    known = {name: spread for name, spread in spreads.items() if spread and None not in spread}
    said = [f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in known.items()]
    return f"{metric} of single seeds: {', '.join(said)}." if said else ""


def cold_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what users with and without a history get, where a protocol keeps both."""
    for group, found in report.get("cold", {}).items():
        each = ", ".join(f"{name} {value:.4f}" for name, value in found["models"].items() if value is not None)
        yield f"{found['metric']} of the {found['users']} users {group}: {each or 'nobody'}."


def published_line(report: Mapping[str, Any]) -> str:
    """Return the figures others print for this data set, nothing where it is not known."""
    rows = ", ".join(f"{name} {value:.4f}" for name, value in (report.get("published") or {}).items())
    return f"Published for this data set, ndcg@20 (MMRec's splits and features): {rows}." if rows else ""


def closing_line(report: Mapping[str, Any]) -> str:
    """Return what the figures rest on: features and who read them, seeds, data, code."""
    config = report["config"]
    reading = {model for models in report["readers"].values() for model in models}
    spaces = []
    for role, space in report["modalities"].items():
        readers = report["readers"].get(role, [])
        if readers and set(readers) == reading:
            spaces.append(f"{role} = {space}")
        elif readers:
            spaces.append(f"{role} = {space}, for {', '.join(readers)} alone")
        elif any(metric.startswith("diversity@") for metric in config["metrics"]):
            spaces.append(f"{role} = {space}, for diversity alone")
    return (
        f"Features: {', '.join(spaces) or 'none read'}. Seeds {', '.join(map(str, config['seeds']))}; brackets are 95% "
        f"bootstrap intervals over users. Data {report['data_key'][:12]}, commit {report['commit'] or 'unknown'}."
    )


def _readers(modalities: Iterable[str], config: EvalConfig) -> dict[str, list[str]]:
    """Return by role the models that read it; most of the simple ones read none."""
    reading = [model for model in config.models if hasattr(contender(model), "modalities")]
    return {role: [model for model in reading if role in config.roles.get(model, (role,))] for role in modalities}


def commit() -> str | None:
    """Return the commit of this checkout, marked when the tree has changes; None outside a checkout."""
    root = Path(__file__).parents[1]
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        state = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+changes" if state.stdout.strip() else "")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cell(metric: Mapping[str, Any]) -> str:
    low, high = metric["ci95"]
    if metric["mean"] is None:
        return "no user"
    if low == high:
        return f"{metric['mean']:.4f}"
    return f"{metric['mean']:.4f} [{low:.4f}, {high:.4f}]"
