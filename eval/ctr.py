"""The report on a click model: AUC, log loss and calibration on later impressions, beside the base rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.intervals import Interval
from eval.probabilities import Values, auc, calibration_bins, calibration_error, interval, logloss
from models.ctr import CtrModel
from models.ctr_data import CtrData

MODEL, PLACE, BASE = "click model", "place on the page alone", "base rate"

_LIGHT = 50.0
"""Impressions at the mean rate that every position is given."""


@dataclass(frozen=True)
class CtrRow:
    """How good one source of probabilities is.

    Attributes:
        gain: Log loss of the base rate minus its own, with the interval of the difference; None for the base rate.
    """

    name: str
    auc: Interval
    logloss: Interval
    calibration_error: Interval
    gain: Interval | None


@dataclass(frozen=True)
class CtrReport:
    """A click model judged by rows that came after those it learned from.

    Attributes:
        rows: The click model first, the base rate last.
        bins: Rows, mean probability and rate of clicks, by tenths of the click model's probability.
        importance: Share of the gain of all splits by feature, greatest first.
    """

    source: str
    taught: int
    judged: int
    clicks: int
    from_moment: str
    rows: tuple[CtrRow, ...]
    bins: tuple[tuple[int, float, float], ...]
    importance: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def report_ctr(model: CtrModel, train: CtrData, test: CtrData, *, seed: int = 0) -> CtrReport:
    """Judge a model taught on `train` by `test`, each row at the place it was shown at."""
    chance = model.probability(test.table, test.positions).astype(np.float64)
    base = np.full(len(test), float(train.clicked.mean()))
    sources = {MODEL: chance, PLACE: by_place(train, test), BASE: base}
    gains = model.importance()
    whole = sum(gains.values()) or 1.0
    shares = sorted(((name, gain / whole) for name, gain in gains.items()), key=lambda pair: -pair[1])
    moment = np.datetime64(int(test.timestamps.min()), "us").item().isoformat()
    return CtrReport(
        test.source, len(train), len(test), int(test.clicked.sum()), f"{moment}+00:00",
        tuple(judged(name, told, base, test, seed) for name, told in sources.items()),
        tuple(calibration_bins(chance, test.clicked)), dict(shares),
    )  # fmt: skip


def judged(name: str, chance: Values, base: Values, test: CtrData, seed: int) -> CtrRow:
    """Return how good probabilities (n,) of the test rows are."""
    y, users = test.clicked, test.user_ids
    same = name == BASE
    return CtrRow(
        name,
        interval(lambda at: auc(chance[at], y[at]), users, seed=seed),
        interval(lambda at: logloss(chance[at], y[at]), users, seed=seed),
        interval(lambda at: calibration_error(chance[at], y[at]), users, seed=seed),
        None if same else interval(lambda at: logloss(base[at], y[at]) - logloss(chance[at], y[at]), users, seed=seed),
    )


def by_place(train: CtrData, test: CtrData) -> Values:
    """Return the rate of clicks of each test row's position in the train rows, drawn to the mean rate."""
    mean = float(train.clicked.mean())
    rates = {
        place: (float(train.clicked[at].sum()) + _LIGHT * mean) / (int(at.sum()) + _LIGHT)
        for place in np.unique(train.positions[np.isfinite(train.positions)]).tolist()
        for at in [train.positions == place]
    }
    return np.array([rates.get(place, mean) for place in test.positions.tolist()], np.float64)


def ctr_text(report: CtrReport) -> str:
    """Return the report as lines for a terminal."""
    about = (
        f"{report.source}: taught on {report.taught:,}, judged by {report.judged:,} from {report.from_moment} on, "
        f"{report.clicks:,} clicked ({report.clicks / report.judged:.1%})"
    )
    if report.source != "impressions":
        about += "\nno impressions in this log: items drawn by popularity stand for what was shown, a proxy"
    lines = [about, "", f"{'':24}  {'AUC':>22}  {'log loss':>22}  {'calibration error':>22}  gain in log loss"]
    for row in report.rows:
        told = "  ".join(f"{_told(each):>22}" for each in (row.auc, row.logloss, row.calibration_error))
        gain = "" if row.gain is None else f"{row.gain.mean:+.4f} [{row.gain.low:+.4f}, {row.gain.high:+.4f}]"
        lines.append(f"{row.name:24}  {told}  {gain}".rstrip())
    lines += ["", "predicted and clicked, by tenths of the rows:"]
    lines += [f"  {mean:7.2%}  {rate:7.2%}  ({n:,} rows)" for n, mean, rate in report.bins]
    top = ", ".join(f"{name} {share:.0%}" for name, share in list(report.importance.items())[:8])
    return "\n".join([*lines, "", f"splits by: {top}"])


def _told(each: Interval) -> str:
    return f"{each.mean:.4f} [{each.low:.4f}, {each.high:.4f}]"
