"""A report on a terminal: columns that line up and fit its width. The `.md` file has the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eval.audit import audit_summary
from eval.columns import aligned, blocks, wrapped
from eval.diagnosis import diagnosis_markdown
from eval.report import closing_line, cold_lines, epochs_text, published_line, seeds_line, signed, unvalidated_line

NARROW = 60


def report_text(report: Mapping[str, Any], width: int = 100) -> str:
    """Return what a person reads on a terminal of `width` columns.

    The first metric has its 95% interval; the other metrics' stand in the file.
    """
    width = max(width, NARROW)
    metrics = list(next(iter(report["models"].values()))["metrics"])
    label = f"{report['n_users']:,} users ({report['label']})"
    lines = [f"{report['dataset']}, protocol {report['protocol']}, {label}"]
    for block in blocks(list(_rows(report, metrics)), width):
        lines += ["", *block]
    first = (unvalidated_line(report), seeds_line(report, metrics[0]))
    for said in (*first, *cold_lines(report), published_line(report)):
        lines += ["", *wrapped(said, width)] if said else []
    lines += [""] if report.get("refused") else []
    for name, why in report.get("refused", {}).items():
        lines += wrapped(f"no row for {name}: {why}", width, "  ")
    lines += _tests(report["paired"], width)
    lines += ["", *wrapped(closing_line(report), width)]
    if "audit" in report:
        lines += ["", *wrapped(audit_summary(report["audit"]), width)]
    if "diagnosis" in report:
        plain = diagnosis_markdown(report["diagnosis"]).replace("### ", "").replace("**", "").rstrip()
        lines += [""]
        for line in plain.splitlines():
            lines += wrapped(line, width, "  ") or [""]
    return "\n".join(lines) + "\n"


def _rows(report: Mapping[str, Any], metrics: Sequence[str]) -> Iterator[list[str]]:
    first = metrics[0]
    intervals = any(_interval(row["metrics"][first]) for row in report["models"].values())
    yield ["model", first, *(["95% interval"] if intervals else []), *metrics[1:], "epochs", "fit s"]
    for name, row in report["models"].items():
        means = [_mean(row["metrics"][metric]["mean"]) for metric in metrics]
        interval = [_interval(row["metrics"][first])] if intervals else []
        yield [name, means[0], *interval, *means[1:], epochs_text(report, name), f"{row['fit_seconds']:.1f}"]


def _tests(pairs: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Return the paired tests as a table, the metric in its header; names on a line of their own where it is narrow."""
    if not pairs:
        return []
    header = ["paired test on the same users", pairs[0]["metric"], "95% interval", "p"]
    rows = [
        [f"{pair['a']} against {pair['b']}", signed(pair["difference"]),
         f"[{signed(pair['ci95'][0])}, {signed(pair['ci95'][1])}]", f"{pair['p']:.4f}"]
        for pair in pairs
    ]  # fmt: skip
    table = aligned([header, *rows])
    if max(map(len, table)) <= width:
        return ["", *table]
    lines = [header[0], *aligned([["", *header[1:]], *(["", *row[1:]] for row in rows)], left=1)]
    return ["", *lines[:2], *(each for row, line in zip(rows, lines[2:], strict=True) for each in (row[0], line))]


def _mean(value: float | None) -> str:
    return "no user" if value is None else f"{value:.4f}"


def _interval(metric: Mapping[str, Any]) -> str:
    low, high = metric["ci95"]
    return "" if low is None or low == high else f"[{low:.4f}, {high:.4f}]"
