"""One cell: what stops a fit early is what is measured in the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import eval.cells
from catalog.columns import INTERACTIONS
from catalog.ids import IdMap
from catalog.progress import SILENT
from catalog.splits import make_split
from catalog.vectors import Floats
from eval.cells import fit_cell
from eval.metrics import parse_metric
from models.base import FitReport, TrainingData, Validate

LIKED, OTHER = "liked", "other"


class OtherFirst:
    """Ranks `other` first for everybody, known or not, and asks once how good that is."""

    def score_users(self, rows: Any) -> Floats:
        return np.tile(np.array([0.0, 1.0], np.float32), (len(rows), 1))

    def fit(self, data: TrainingData, *, validate: Validate, **_: object) -> FitReport:
        return FitReport(1, 0.0, None, (validate(self.score_users),))


def test_validation_judges_what_is_served_as_the_test_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("a", LIKED, 0), ("b", LIKED, 0), ("a", OTHER, 0), ("new", LIKED, 1), ("b", OTHER, 1), ("newer", LIKED, 2)]
    given = {**dict.fromkeys(INTERACTIONS), "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "kind": "purchase"}
    schema = {**INTERACTIONS, "x_label": pl.Int64}
    events = [
        {**given, "event_id": str(at), "user_id": user, "item_id": item, "x_label": label}
        for at, (user, item, label) in enumerate(rows)
    ]
    log = pl.DataFrame(events, schema=schema, orient="row")
    split = make_split(log, IdMap([LIKED, OTHER]), protocol="temporal", label_column="x_label")
    monkeypatch.setattr(eval.cells, "contender", lambda *_: OtherFirst())
    hit = parse_metric("hit@1")
    cell = fit_cell("x", split, {}, [hit], select_by=hit, overrides={}, seed=0, progress=SILENT)
    assert cell.history == (1.0,), "new has no train row and is served what is popular; b is served the model's first"
    assert cell.users == ("newer",) and cell.values["hit@1"].tolist() == [1.0]
