"""The caption scoreboard on boutiques nobody tuned on, or on a folder of MMRec's form such as movies.

    python -m bench.caption_scoreboard [--seeds 701 702 703] [--stores FOLDER] [--check lirdrec]
    python -m bench.caption_scoreboard --folder ../shared/data/movies --ground text_feat [--check lirdrec]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM, and rank every space. For a folder: import
it and do the same, its own features being contenders too. Captions and vectors that stand in a store are not made
again, and neither are finished fits of `--check`. Boutiques are generated: they prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.boutique_ladder import prepared
from catalog.errors import DataError
from catalog.workspace import Workspace
from eval.captions.config import ScoreboardConfig
from eval.captions.report import scoreboard_markdown
from vitrine import jobs
from vitrine.reproduction_data import build_dataset
from vitrine.scoreboard import score_captions
from vitrine.settings import Settings, load_settings


def imported(folder: Path, stores: Path) -> Settings:
    """Return the settings of a store that holds a folder of MMRec's form, captioned and embedded."""
    settings = load_settings({"store": str(stores / folder.name)})
    workspace = Workspace(settings.store)
    if not workspace.has("catalog"):
        print(build_dataset(workspace, data=None, raw=None, folder=folder, seed=settings.seed).text(), flush=True)
    try:
        print(jobs.caption_store(settings), flush=True)
    except DataError as error:
        print(f"no captions: {error}", flush=True)
    print(*jobs.embed_store(settings), sep="\n", flush=True)
    return settings


def main() -> None:
    """Rank the spaces of every store and print each scoreboard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[701, 702, 703], help="boutique seeds")
    parser.add_argument("--folder", type=Path, help="a folder of MMRec's form in place of boutiques")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    parser.add_argument("--contenders", nargs="+", default=[], help="spaces or captions by name; all spaces otherwise")
    parser.add_argument("--ground", help="space of what the shop wrote; the text role's otherwise")
    parser.add_argument("--protocol", default="mmrec")
    parser.add_argument("--check", help="a model that is trained in full on every contender, such as lirdrec")
    parser.add_argument("--check-seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    config = ScoreboardConfig(check=given.check, check_seeds=tuple(given.check_seeds))
    with tempfile.TemporaryDirectory() as temporary:
        stores = given.stores or Path(temporary)
        for each in [given.folder] if given.folder else given.seeds:
            settings = imported(each, stores) if given.folder else prepared(each, stores)
            print(f"\n# {each}\n", flush=True)
            made = score_captions(
                settings,
                config,
                contenders=tuple(given.contenders),
                ground=given.ground,
                protocol=given.protocol,
            )
            print(scoreboard_markdown(made.report), flush=True)


if __name__ == "__main__":
    main()
