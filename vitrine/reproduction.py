"""`vitrine reproduce lirdrec`: are captions worth more than the original features, as the paper says?

The paper (arXiv 2505.04960) turns pictures into words, words into LLM embeddings, and reports NDCG@20 4.21%
above that of the features the data sets came with. Here the same model is fitted with both, on the same split,
over several seeds; its settings are chosen by the validation part alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from catalog.errors import NotBuiltError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.splits import Split, make_split
from catalog.workspace import Workspace, write_text
from eval.config import EvalConfig
from eval.report import LABELS, commit
from eval.table import Row, evaluate
from models.registry import build
from vitrine.published import CLAIM_PERCENT, SOURCE, data_origin, recognise
from vitrine.reproduction_report import Chosen, Spaces, reproduction_markdown, rows_json
from vitrine.settings import Settings
from vitrine.wiring import FOLDER_PICTURE, FOLDER_TEXT, default_spaces, load_modalities, spaces_to_come

MODEL = "lirdrec"
METRICS = ("ndcg@20", "recall@20")
SELECT_BY = "recall@20"

ORIGINAL = "original features"
CAPTIONS = "captions"
BOTH = "captions and embedded texts"

Grid = Mapping[str, Sequence[Any]]
"""Setting of LIRDRec -> the values tried."""


def reproduce_lirdrec(
    settings: Settings,
    *,
    original: Spaces | None = None,
    captions: Spaces | None = None,
    grid: Grid | None = None,
    seeds: tuple[int, ...] = (999, 2024, 2025),
    label_column: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Compare original features with captions on the store's data, and write `reports/reproduce-lirdrec.*`.

    Every fit is a cell of the store's evaluation cache, so a killed run goes on where it was.

    Args:
        settings: Name the store, the captioner and the embedder.
        original: What the first row reads; None: `image_feat` and `text_feat`.
        captions: What the row of captions reads; None: the caption space in place of the pictures and the
            original text features, and as a third row the embedded texts in place of those as well.
        grid: Settings to choose from by validation, with the first seed; None: the model's own.
        seeds: One fit each.
        label_column: A given split; None: `x_label`, else MMRec's rule.
        progress: Told of every epoch.

    Raises:
        NotBuiltError: When there is no data set, or a space is missing; the text says what makes it.
        ConfigError: When the grid names an unknown setting.
    """
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    rows = _rows(settings, workspace, original, captions)
    candidates = _candidates(settings, grid or {})
    split = make_split(
        data.log, data.catalog.ids, protocol="mmrec", label_column=label_column, positives=settings.positives,
        seed=settings.seed,
    )  # fmt: skip
    chosen = [
        _choose(title, spaces, candidates, split, seeds, workspace, manifest.key, progress)
        for title, spaces in rows.items()
    ]
    known = recognise(split)
    report = {
        "reproduction": MODEL,
        "dataset": data.name,
        "label": LABELS[data_origin(manifest, data.log)],
        **rows_json(chosen, METRICS, SELECT_BY),
        "paper": {
            "source": SOURCE,
            "claim_percent": CLAIM_PERCENT,
            "dataset": known.title if known else None,
            "ndcg@20": known.ndcg_at_20 if known else None,
        },
        "split": {"label_column": label_column, **dict(split.meta)},
        "seeds": list(seeds),
        "select_by": SELECT_BY,
        "data_key": manifest.key,
        "commit": commit(),
    }
    place = workspace.root / "reports" / f"reproduce-{MODEL}.json"
    write_text(place, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    write_text(place.with_suffix(".md"), reproduction_markdown(report))
    return report


def check_reproduction(settings: Settings, *, original: Spaces | None = None, grid: Grid | None = None) -> None:
    """Refuse what `reproduce_lirdrec` would refuse, before the store is captioned and embedded for it.

    Args:
        settings: Name the store, the captioner and the embedder.
        original: What the first row reads; spaces that vitrine embed is about to make count as there.
        grid: Settings to choose from.

    Raises:
        NotBuiltError: When there is no data set, or an original feature is missing.
        ConfigError: When the grid names an unknown setting.
    """
    workspace = Workspace(settings.store)
    workspace.path("catalog")
    _original(original, sorted({*workspace.names("embeddings"), *spaces_to_come(settings)}))
    _candidates(settings, grid or {})


def _rows(
    settings: Settings, workspace: Workspace, original: Spaces | None, captions: Spaces | None
) -> dict[str, Spaces]:
    """Return the rows and what they read.

    Raises:
        NotBuiltError: When a space is missing.
    """
    there = workspace.names("embeddings")
    first = _original(original, there)
    if captions is not None:
        rows: dict[str, Spaces] = {ORIGINAL: first, CAPTIONS: dict(captions)}
    else:
        made = default_spaces(settings, workspace)
        if made.get("picture") in (None, FOLDER_PICTURE):
            raise NotBuiltError("no captions are embedded in the store: run vitrine caption and vitrine embed first")
        rows = {ORIGINAL: first, CAPTIONS: {**first, "picture": made["picture"]}}
        if made.get("text") not in (None, first.get("text")):
            rows[BOTH] = {**first, "picture": made["picture"], "text": made["text"]}
    for spaces in rows.values():
        for space in spaces.values():
            if space not in there:
                raise NotBuiltError(f"space {space!r} is not in the store. {did_you_mean(space, there)}")
    return rows


def _original(original: Spaces | None, there: list[str]) -> dict[str, str]:
    """Return what the first row reads.

    Raises:
        NotBuiltError: When one of its spaces is missing.
    """
    first = dict(original or {"picture": FOLDER_PICTURE, "text": FOLDER_TEXT})
    for space in first.values():
        if space not in there:
            raise NotBuiltError(
                f"the original features {space!r} are not in the store: they come with MMRec's own folder (--folder), "
                f"or by vitrine import vectors; --original ROLE=SPACE names others. {did_you_mean(space, there)}"
            )
    return first


def _candidates(settings: Settings, grid: Grid) -> list[dict[str, Any]]:
    """Return every combination of the grid on top of the settings' own parameters.

    Raises:
        ConfigError: When the model refuses one.
    """
    own = dict(settings.models.overrides.get(MODEL, {}))
    combined = [{**own, **dict(zip(grid, values, strict=True))} for values in product(*grid.values())]
    for parameters in combined:
        build(MODEL, parameters)
    return combined


def _choose(
    title: str,
    spaces: Spaces,
    candidates: Sequence[Mapping[str, Any]],
    split: Split,
    seeds: tuple[int, ...],
    workspace: Workspace,
    data_key: str,
    progress: Progress,
) -> Chosen:
    """Fit each candidate with the first seed, keep the best on validation, and fit that one with every seed."""
    modalities = load_modalities(workspace, spaces)

    def fitted(parameters: Mapping[str, Any], which: tuple[int, ...]) -> Row:
        config = EvalConfig(
            models=(MODEL,), metrics=METRICS, select_by=SELECT_BY, seeds=which, overrides={MODEL: parameters}
        )
        table = evaluate(split, modalities, config, workspace=workspace, data_key=data_key, progress=progress)
        return table.rows[0]

    tried = [(parameters, _validation(fitted(parameters, seeds[:1]))) for parameters in candidates]
    best = max(tried, key=lambda each: each[1])[0]  # the first of equals
    return Chosen(title, spaces, best, tried, fitted(best, seeds))


def _validation(row: Row) -> float:
    return max((value for series in row.histories for value in series), default=float("nan"))
