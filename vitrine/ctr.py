"""Teaches the click model from the shop's own log, and judges one taught on the older part by the newer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from catalog.errors import DataError
from catalog.nouns import Interaction
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from models.ctr import MIN_CLICKS, CtrConfig, CtrModel
from models.ctr_data import CtrData, CtrDataConfig, build_ctr_data
from models.features import FeatureConfig, FeatureStore
from models.impressions import labelled_impressions
from tools.taste import digested
from vitrine.scorers import SCORERS, Lessons
from vitrine.settings import Settings

if TYPE_CHECKING:
    from eval.ctr import CtrReport

TEST_SHARE = 0.25
"""Share of the rows, the newest, that `vitrine eval --ctr` judges by."""

_UNCITED = (
    ". A click counts where it has its impression's request_id and item_id; where the impression has no request_id, "
    "its user_id, session_id and item_id"
)


@dataclass(frozen=True, eq=False)
class TaughtCtr:
    """The click model, the spaces it compares in, and what it was taught from; `why_not` when there is none."""

    model: CtrModel | None
    rows: int = 0
    clicks: int = 0
    source: str = ""
    spaces: tuple[str, ...] = ()
    why_not: str = ""

    def meta(self) -> dict[str, Any] | None:
        """Return what serving must know of it; None where there is none."""
        if self.model is None:
            return None
        return {"rows": self.rows, "clicks": self.clicks, "source": self.source, "spaces": list(self.spaces)}

    def line(self) -> str:
        """Say what it was taught from, or why there is none."""
        if self.model is None:
            return f"click model: none, {self.why_not}"
        shown = "impressions" if self.source == "impressions" else "sampled rows, a proxy for impressions"
        return (
            f"click model: LightGBM on {self.rows:,} {shown}, {self.clicks:,} clicked ({self.clicks / self.rows:.1%})"
        )


def undated_free(settings: Settings, workspace: Workspace) -> dict[str, EmbeddingTable]:
    """Return, by role, the spaces in use that tell nothing of the log: none learned from takes, none with reviews.

    The look-ups of many past moments share one table, so it may know nothing that was said or taken in between.
    """
    from vitrine.bases import load_bases, without_bases
    from vitrine.fusing import learned_roles
    from vitrine.wiring import choose_spaces, load_modalities, review_roles

    chosen = choose_spaces(settings, workspace)
    roles = without_bases(chosen, load_bases(workspace, chosen))
    dated = {*learned_roles(workspace, roles), *review_roles(workspace, roles)}
    return load_modalities(workspace, {role: space for role, space in roles.items() if role not in dated})


def ctr_data(
    settings: Settings,
    data: ShopData,
    modalities: Mapping[str, EmbeddingTable],
    progress: Progress = SILENT,
    config: CtrDataConfig | None = None,
) -> CtrData:
    """Return the rows the click model learns from, each as of its own moment.

    Raises:
        DataError: When the log has neither an impression nor a positive of a known item.
    """
    features = FeatureConfig(models=SCORERS, positives=settings.positives)
    spaces = {table.space: table for table in modalities.values()}
    lessons = Lessons(data.log, data.catalog.ids, modalities, settings.positives)

    def make_store(as_of: datetime) -> FeatureStore:
        return FeatureStore(
            data.catalog, data.log, as_of=as_of, spaces=spaces, config=features, users=data.user_nouns
        )  # fmt: skip

    return build_ctr_data(
        data.log, make_store, liked=liked_in, make_scorers=lessons.fitted, config=config, kinds=settings.positives,
        seed=settings.seed, progress=progress,
    )  # fmt: skip


def liked_in(events: pl.DataFrame) -> Sequence[str]:
    """Return what events say a shopper likes, newest last, by the very rule that serving reads live events with."""
    told = events.select("event_id", "user_id", "item_id", "timestamp", "kind", "value")
    return digested([Interaction(**row) for row in told.iter_rows(named=True)]).live


def fit_ctr(
    settings: Settings, data: ShopData, modalities: Mapping[str, EmbeddingTable], progress: Progress = SILENT
) -> TaughtCtr:
    """Fit the click model on the whole log of `data`; not at all where the settings or the log say so."""
    wanted = settings.models.ctr
    if wanted == "never":
        return TaughtCtr(None, why_not="models.ctr is 'never'")
    clicks = int(labelled_impressions(data.log)["clicked"].sum())
    if wanted == "impressions" and clicks < MIN_CLICKS:
        return TaughtCtr(None, why_not=f"{clicks:,} clicked impressions in the log ({MIN_CLICKS} would do)")
    try:
        rows = ctr_data(settings, data, modalities, progress)
        model = CtrModel()
        model.fit(rows, seed=settings.seed)
    except DataError as error:
        return TaughtCtr(None, why_not=str(error))
    spaces = tuple(table.space for table in modalities.values())
    return TaughtCtr(model, len(rows), int(rows.clicked.sum()), rows.source, spaces)


@dataclass(frozen=True, eq=False)
class JudgedCtr:
    """The report, the model behind it and the rows it was judged by."""

    report: CtrReport
    model: CtrModel
    test: CtrData


def judge_ctr(
    settings: Settings, progress: Progress = SILENT, config: CtrConfig | None = None, data: CtrDataConfig | None = None
) -> JudgedCtr:
    """Teach a click model on the older impressions, judge it by the newest quarter, and return what came of it.

    Raises:
        DataError: When there are too few clicks to teach or to judge by.
    """
    from catalog.shop_data import load_shop
    from eval.ctr import report_ctr

    workspace = Workspace(settings.store)
    shop = load_shop(workspace)
    rows = ctr_data(settings, shop, undated_free(settings, workspace), progress, data)
    cut = int(rows.timestamps[int(len(rows) * (1 - TEST_SHARE))])
    train, test = rows.parted(datetime.fromtimestamp(cut / 1e6, UTC))
    if not len(train) or not 0 < int(test.clicked.sum()) < len(test):
        clicked, judged = int(train.clicked.sum()), int(test.clicked.sum())
        counts = f"{clicked:,} of {len(train):,} to teach and {judged:,} of {len(test):,} to judge by"
        raise DataError(
            f"{rows.called}: {counts} were clicked; some that were and some that were not would be needed in both"
            f"{_UNCITED if rows.source == 'impressions' and not rows.clicked.any() else ''}"
        )
    model = CtrModel(config)
    model.fit(train, seed=settings.seed)
    return JudgedCtr(report_ctr(model, train, test), model, test)
