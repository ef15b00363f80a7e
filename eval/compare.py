"""Two reports side by side: what changed, and whether it is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from catalog.errors import DataError
from eval.columns import aligned, wrapped
from eval.intervals import paired_test
from eval.metrics import Values
from eval.report_reading import Report
from eval.report_values import kept_values, place_of_values

SAME = ("dataset", "protocol", "data_key", "n_users")
"""What two reports must share for their figures to be of the same thing."""

HEADER = ("model", "metric", "a", "b", "b - a", "95% interval", "p")

AGAIN = "write it anew by vitrine eval --json (finished cells are not fitted again)"


def compare(
    first: Sequence[Report], second: Sequence[Report], *, anyway: bool = False, width: int | None = None
) -> str:
    """Return every protocol that two files share, as `compared` sets them side by side.

    Where they share none, the first of each is taken, which only `anyway` allows.

    Args:
        first: What `eval.report_reading.read_reports` gave of one file.
        second: Likewise of the other.
        anyway: Also when they are not of the same thing.
        width: Columns of the terminal; None: lines are as long as they are.

    Raises:
        DataError: When the reports are of different data or protocols, unless `anyway`, or the values kept beside one
            are damaged or another report's; the text names what differs.
    """
    ours, theirs = ({report["protocol"]: report for report in reports} for reports in (first, second))
    shared = [name for name in ours if name in theirs]
    pairs = [(ours[name], theirs[name]) for name in shared] or [(first[0], second[0])]
    texts = [compared(a, b, anyway=anyway, width=width) for a, b in pairs]
    left = [f"{name} ({file})" for file, mine, other in (("a", ours, theirs), ("b", theirs, ours))
            for name in mine if shared and name not in other]  # fmt: skip
    alone = f"Protocols in one file alone: {', '.join(left)}."
    return "\n".join([*texts, *(["\n".join(_fitting(alone, width)) + "\n"] if left else [])])


def compared(a: Report, b: Report, *, anyway: bool = False, width: int | None = None) -> str:
    """Return a table of every model and metric two reports share, `b` against `a`.

    Where both keep their per-user values for the same users, the difference has a paired 95% interval and p;
    else only the means stand side by side, and a line says what is missing and how to get it.

    Raises:
        DataError: As `compare` does.
    """
    differs = [f"{name} {a[name]!r} and {b[name]!r}" for name in SAME if a[name] != b[name]]
    if a.get("split", {}).get("source") != b.get("split", {}).get("source"):
        differs.append(f"split {a.get('split', {}).get('source')!r} and {b.get('split', {}).get('source')!r}")
    if differs and not anyway:
        raise DataError(f"the reports differ in {'; '.join(differs)}: reports of one split would be valid, or --anyway")
    ours, theirs = ({} if differs else kept_values(report) for report in (a, b))
    rows = list(_rows(a, b, ours, theirs))
    missing = sorted(set(a["models"]) ^ set(b["models"]))
    before = [f"{name}: {_named(report)}" for name, report in (("a", a), ("b", b))]
    before += [f"not of the same thing: {each}" for each in differs]
    after = [] if differs else [why for report in (a, b) if (why := _missing(report))]
    after += [f"Models in one of them alone: {', '.join(missing)}."] if missing else []
    if not rows:
        after = [f"No model has a metric in both. a: {_holds(a)}; b: {_holds(b)}."]
    lines = [line for text in before for line in _fitting(text, width)]
    lines += ["", *_table(rows, width), ""] if rows else []
    lines += [line for text in after for line in _fitting(text, width)]
    return "\n".join(lines).rstrip() + "\n"


def _fitting(text: str, width: int | None) -> list[str]:
    return [text] if width is None else wrapped(text, width, "  ")


def _table(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return the rows below their header; a model stands on a line of its own where the terminal is narrow."""
    table = aligned([HEADER, *rows], left=2)
    if width is None or max(map(len, table)) <= width:
        return table
    header, *lines = aligned([["", *HEADER[1:]], *(["", *row[1:]] for row in rows)], left=2)
    out, model = [header], ""
    for row, line in zip(rows, lines, strict=True):
        out += [line] if row[0] == model else [row[0], line]
        model = row[0]
    return out


def _named(report: Report) -> str:
    return f"{report['file']} ({report['dataset']}, protocol {report['protocol']}, {report['n_users']} users)"


def _holds(report: Report) -> str:
    """Return what was measured: every model and every metric."""
    metrics = dict.fromkeys(metric for row in report["models"].values() for metric in row["metrics"])
    return f"{', '.join(report['models'])} by {', '.join(metrics)}"


def _rows(a: Report, b: Report, ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> Iterator[tuple[str, ...]]:
    for model, row in b["models"].items():
        before = a["models"].get(model, {"metrics": {}})["metrics"]
        for metric, value in row["metrics"].items():
            if metric in before:
                yield _row(model, metric, before[metric]["mean"], value["mean"], ours, theirs)


def _row(
    model: str, metric: str, a: float | None, b: float | None, ours: Mapping[str, Values], theirs: Mapping[str, Values]
) -> tuple[str, ...]:
    if a is None or b is None:
        return model, metric, *("no user" if each is None else f"{each:.4f}" for each in (a, b)), "", "", ""
    cells = (model, metric, f"{a:.4f}", f"{b:.4f}", f"{b - a:+.4f}")
    key = f"{model}\t{metric}"
    if key not in ours or key not in theirs:
        return *cells, "-", ""
    paired = paired_test(theirs[key], ours[key], seed=0)
    return *cells, f"[{paired.difference.low:+.4f}, {paired.difference.high:+.4f}]", f"{paired.p:.4f}"


def _missing(report: Report) -> str | None:
    """Say why a report has no per-user values and how to get them, None where it has them."""
    place = place_of_values(report)
    if place is None:
        return f"No intervals: {report['file']!r} names no file of every user's values; {AGAIN}."
    if not place.is_file():
        return (
            f"No intervals: every user's values of {report['file']!r} should be in {str(place)!r}, which is "
            f"not there; copy {place.name!r} from where the report was made, or {AGAIN}."
        )
    return None
