"""Two stages against every single model of the table: paired tests on the same shoppers.

    python -m bench.two_stage [movies beauty boutique-841 ...] [--row two_stage-last] [--against sequence_tower ease]

Every row is fitted on the protocol's train rows, stopped and chosen by validation NDCG@20; the test part is read once a
row. `NAME` is an MMRec folder under `--data` (*real data, measured here*) or `boutique-SEED`, which is generated,
captioned and embedded first (*generated shop, plumbing*). The ranker of the two stages learns from rows held out of
train alone. Finished rows are kept under `--stores` and an interrupted command goes on.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from bench.boutique_ladder import prepared
from bench.ladder import Setting, inputs
from bench.ladder import prepared as imported
from catalog.shop_data import load_shop
from catalog.splits import Split, make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.config import EvalConfig
from eval.contenders import reads_as
from eval.intervals import paired_test
from eval.table import Table, evaluate
from vitrine.wiring import choose_spaces, load_modalities

METRIC = "ndcg@20"
AGAINST = (
    "sequence_tower", "sequence_linear", "content_linear", "ease", "als", "freedom", "lirdrec", "lightgcn", "sasrec",
)  # fmt: skip
"""Single models that stand beside it; the weaker rungs are in the ladder's own tables."""

BOUTIQUE = "boutique-"


def main() -> None:
    """Measure every data set, and print its rows and the paired tests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["movies", "boutique-841", "boutique-842", "boutique-843"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TEST_DATA", "../shared/data")))
    parser.add_argument("--stores", type=Path, default=Path("store/two_stage"), help="where finished rows are kept")
    parser.add_argument("--row", default="two_stage", choices=["two_stage", "two_stage-last"])
    parser.add_argument(
        "--label-column", default="x_label", help="of an MMRec folder; x_label_last with two_stage-last"
    )
    parser.add_argument("--against", nargs="*", default=AGAINST, help="single models")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    for name in given.names:
        if not name.startswith(BOUTIQUE) and not (given.data / name).is_dir():
            print(f"skipped: {str(given.data / name)!r} does not exist; --data or TEST_DATA names the folder it is in")
            continue
        split, modalities, key, workspace = opened(name, given.data, given.stores, given.label_column)
        config = EvalConfig(
            models=(given.row, *given.against), metrics=(METRIC, "recall@20"), select_by=METRIC, seeds=(given.seed,)
        )
        print(text(name, evaluate(split, modalities, config, workspace=workspace, data_key=key)), flush=True)


def opened(
    name: str, data: Path, stores: Path, label_column: str
) -> tuple[Split, Mapping[str, EmbeddingTable], str, Workspace]:
    """Return the split, the vectors by role, the content key of the data and where rows are kept."""
    if not name.startswith(BOUTIQUE):
        imported(data, stores, name)
        return *inputs(stores, Setting(name, "mmrec", label_column)), Workspace(stores / name)
    settings = prepared(int(name.removeprefix(BOUTIQUE)), stores)
    workspace = Workspace(settings.store)
    shop, manifest = load_shop(workspace), workspace.manifest("catalog")
    assert manifest is not None
    split = make_split(shop.log, shop.catalog.ids, protocol="mmrec", positives=settings.positives, seed=settings.seed)
    roles = choose_spaces(settings, workspace, reads_as("two_stage"))
    return split, load_modalities(workspace, roles), manifest.key, workspace


def text(name: str, table: Table) -> str:
    """Return the rows as Markdown, best first below the two stages, each tested against them."""
    first, *others = table.rows
    origin = "generated shop, plumbing" if name.startswith(BOUTIQUE) else "real data, measured here"
    lines = [
        f"## {name}, {table.n_users} shoppers ({origin})",
        "",
        f"| row | {METRIC} | recall@20 | {first.name} less this row | p | fit s |",
        "|---|---|---|---|---|---|",
    ]
    for row in (first, *sorted(others, key=lambda row: -row.intervals[METRIC].mean)):
        found, recall = row.intervals[METRIC], row.intervals["recall@20"].mean
        cells = [row.name, f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]", f"{recall:.4f}", "", ""]
        if row is not first:
            paired = paired_test(first.values[METRIC], row.values[METRIC], seed=0)
            gain = paired.difference
            cells[3:] = [f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]", f"{paired.p:.4f}"]
        lines.append(f"| {' | '.join(cells)} | {row.fit_seconds:.0f} |")
    return "\n".join([*lines, *(f"- {row}: {why}" for row, why in table.refused.items()), ""])


if __name__ == "__main__":
    main()
