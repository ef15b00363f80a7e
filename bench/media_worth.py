"""What each medium is worth to LIRDRec on boutiques nobody tuned on: captions, video, what shoppers wrote and sought.

    python -m bench.media_worth [--seeds 601 602 603] [--stores FOLDER] [--protocols mmrec temporal] [--model lirdrec]
    python -m bench.media_worth --parts added --protocols mmrec --seeds 811 812 813 --video-share 0.6

For each boutique seed: generate, caption with `pixels`, embed with MiniLM, read intents with the extractor trained on
the shop, and fit the model on what the shop wrote, with each medium added to it, with all roles, and with each left out
in turn; differences are paired by user. A medium that is added stands before the text, since LIRDRec gives the graph of
its first modality `graph_weight`, a tenth. Roles: `picture` (captions of pictures), `text` (what the shop wrote),
`video` (captions of videos), `reviews` (words of reviews, praise, complaints and return notes) and `searches` (words
shoppers typed). Words count only as far as a model may know them: under `temporal` those from before the train cut and
of no pair that comes after, under `mmrec` those of train pairs alone; the leakage audit is asked for each. Finished
cells stay in the store, so an interrupted run resumes. Beside them stands the room there is: what the generator's own
ranking, which knows every taste, loses when it is denied the tastes that only pictures or only films show. With
`--video-share` more of the items have a film than the usual fifth: a shop where films matter.
It is a generated shop: plumbing, not worth.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from bench.boutique_ladder import prepared
from bench.media_ceiling import ceilings
from captioning.intents.job import load_intents
from catalog.boutique.factors import Medium
from catalog.errors import NothingToDo
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.shop_data import ShopData, load_shop
from catalog.splits import ProtocolName, Split, make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from embedding.job import load_embeddings
from eval.audit_reviews import review_finding
from eval.config import EvalConfig
from eval.intervals import bootstrap_interval, paired_test
from eval.metrics import Values
from eval.table import evaluate
from models.intents.item_space import item_intents
from vitrine.intents import read_store_intents
from vitrine.settings import Settings
from vitrine.wiring import make_embedder

METRIC = "ndcg@20"
WRITTEN = ("review", "praise", "complaint", "return", "call")
SEARCHED = ("query",)
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "captions": ("picture",),
    "video": ("video",),
    "reviews": ("reviews",),
    "searches": ("searches",),
    "all words of shoppers": ("reviews", "searches"),
    "text": ("text",),
}
"""What a row leaves out -> the roles that go."""
ADDED: Mapping[str, str] = {"captions": "picture", "video": "video", "reviews": "reviews", "searches": "searches"}
"""What a row adds to the text -> its role."""
PARTS = ("added", "left out")
Pairs = Mapping[str, tuple[Values, Values]]
"""By the title of a row: the values of every shopper with the medium and without."""
SHOWN: Mapping[str, Medium] = {"captions": "picture", "video": "video"}
"""What a row adds -> the medium that alone shows some of the shop's tastes."""


def caption_tables(settings: Settings, workspace: Workspace) -> dict[str, EmbeddingTable]:
    """Return captions of pictures and captions of videos as a space each, embedded once and kept in the store."""
    with workspace.reading("captions/pixels") as folder:
        captions = pl.read_parquet(folder / "captions.parquet")
    videos = {ref for refs in load_shop(workspace).items["videos"].to_list() for ref in refs}
    shown = pl.col("media").is_in(sorted(videos))
    found = {}
    for role, rows in (("picture", captions.filter(~shown)), ("video", captions.filter(shown))):
        texts = rows.group_by("item_id", maintain_order=True).agg(pl.col("text").str.join(" "))
        embedder = make_embedder(settings)
        key, name = content_key(role, texts["text"].to_list(), embedder.model), f"media-worth/{role}"
        if not workspace.has(name, key):
            different = texts["text"].unique().sort().to_list()
            vectors = np.asarray(embedder.embed(different), np.float32)
            place = {text: at for at, text in enumerate(different)}
            rows_of = [place[text] for text in texts["text"].to_list()]
            with workspace.writing(name, key) as folder:
                EmbeddingTable(IdMap(texts["item_id"].to_list()), vectors[rows_of], role).save(folder)
        with workspace.reading(name) as folder:
            found[role] = EmbeddingTable.load(folder, role)
    return found


def known_words(intents: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Return the intents a model may know.

    Of train pairs alone; where there is a cut in time, those from before it, and of no pair that valid or test holds:
    who searched before the cut and took after it is left out as well.
    """
    pair = ["user_id", "item_id"]
    if "valid_from" not in split.meta:
        return intents.join(_pairs(split.train), on=pair, how="semi", maintain_order="left")
    past = intents.filter(pl.col("timestamp") < datetime.fromisoformat(split.meta["valid_from"]))
    later = pl.concat([_pairs(split.valid), _pairs(split.test)])
    return past.join(later, on=pair, how="anti", maintain_order="left")


def _pairs(part: Interactions) -> pl.DataFrame:
    return pl.DataFrame({"user_id": part.users.at(part.user_rows), "item_id": part.items.at(part.item_rows)})


def word_tables(intents: pl.DataFrame, split: Split) -> dict[str, EmbeddingTable]:
    """Return the roles `reviews` and `searches`, after the audit has passed both.

    Raises:
        AssertionError: When the audit fails one.
    """
    known, found = known_words(intents, split), {}
    for role, sources in (("reviews", WRITTEN), ("searches", SEARCHED)):
        said = known.filter(pl.col("source").is_in(sources))
        finding = review_finding(role, split, said.select("item_id", "user_id", "timestamp"))
        if finding.status != "passed":
            raise AssertionError(f"{finding.check} {finding.status}: {finding.text}")
        try:
            found[role] = item_intents(said, split.items, as_of=None, space=role)
        except NothingToDo as error:
            print(f"skipped: {error}")
    return found


def reads_words(parts: Sequence[str], added: Sequence[str]) -> bool:
    """Tell whether anything shoppers wrote is read: intents take longer than all the rest."""
    return "left out" in parts or not {"reviews", "searches"}.isdisjoint(added)


def measured(
    split: Split, roles: Mapping[str, EmbeddingTable], model: str, seeds: Sequence[int], workspace: Workspace, key: str
) -> Values:
    """Return NDCG@20 of every judged user, the mean over training seeds."""
    config = EvalConfig(models=(model,), metrics=(METRIC, "recall@20"), seeds=tuple(seeds))
    return evaluate(split, roles, config, workspace=workspace, data_key=key).rows[0].values[METRIC]


def shop_table(
    settings: Settings,
    data: ShopData,
    protocol: ProtocolName,
    model: str,
    seeds: Sequence[int],
    parts: Sequence[str],
    added: Sequence[str],
) -> Pairs:
    """Print one shop under one protocol: what each medium adds to the text, and what leaving each out of all costs.

    Returns:
        By the title of a row, the values of every shopper with the medium and without.
    """
    workspace = Workspace(settings.store)
    split = make_split(data.log, data.catalog.ids, protocol=protocol, positives=settings.positives, seed=settings.seed)
    shown = caption_tables(settings, workspace)
    roles = {"picture": shown["picture"], "text": load_embeddings(workspace, "text-minilm"), "video": shown["video"]}
    if reads_words(parts, added):
        roles |= word_tables(load_intents(workspace, "trained"), split)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    told = f"| {settings.boutique.seed} | {protocol}"
    pairs: dict[str, tuple[Values, Values]] = {}

    def fitted(given: Mapping[str, EmbeddingTable]) -> Values:
        return measured(split, given, model, seeds, workspace, manifest.key)

    def base(title: str, given: Mapping[str, EmbeddingTable]) -> Values:
        values = fitted(given)
        mean = bootstrap_interval(values, seed=0)
        print(f"{told} | {title} | {mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}] | | |", flush=True)
        return values

    def row(title: str, values: Values, more: Values, less: Values) -> None:
        pairs[title] = more, less
        print(f"{told} | {title} | {values.mean():.4f} | {gain_text(more, less)} |", flush=True)

    if "added" in parts:
        alone = base("text", {"text": roles["text"]})
        for title in added:
            role = ADDED[title]
            if role in roles:
                values = fitted({role: roles[role], "text": roles["text"]})
                row(f"{title} + text", values, values, alone)
        rooms = {title: SHOWN[title] for title in added if title in SHOWN}
        known = ceilings(settings.boutique, split, METRIC, tuple(rooms.values()))
        for title, medium in rooms.items():
            row(f"(who knows every taste, {title} among them)", known[""], known[""], known[medium])
    if "left out" in parts:
        whole = base("all", roles)
        for title, gone in LEFT_OUT.items():
            values = fitted({role: table for role, table in roles.items() if role not in gone})
            row(f"all without {title}", values, whole, values)
    return pairs


def gain_text(more: Values, less: Values) -> str:
    """Return two cells: the gain by shopper with its interval, and p."""
    paired = paired_test(more, less, seed=0)
    gain = paired.difference
    return f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] | {paired.p:.4f}"


def pooled_rows(shops: Sequence[Pairs]) -> list[str]:
    """Return the rows of all shops' shoppers together, for what every shop has; none of a single shop."""
    if len(shops) < 2:
        return []
    shared = [title for title in shops[0] if all(title in each for each in shops)]
    together = {
        title: [np.concatenate(side) for side in zip(*(shop[title] for shop in shops), strict=True)] for title in shared
    }
    return [f"{title} | | {gain_text(more, less)} |" for title, (more, less) in together.items()]


def main() -> None:
    """Run every seed and protocol and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[601, 602, 603], help="boutique seeds")
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--protocols", nargs="+", choices=["mmrec", "temporal"], default=["mmrec", "temporal"])
    parser.add_argument("--model", default="lirdrec")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="of the table")
    parser.add_argument("--added", nargs="+", choices=list(ADDED), default=list(ADDED), help="media of the part added")
    parser.add_argument("--video-share", type=float, help="of the items have a film; the boutique's own otherwise")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        shops = []
        for seed in given.seeds:
            settings = prepared(seed, given.stores or Path(temporary), video_share=given.video_share)
            if reads_words(given.parts, given.added):
                print(*read_store_intents(settings), sep="\n", flush=True)
            shops.append((settings, load_shop(Workspace(settings.store))))
        print(f"\n{given.model}, {METRIC}, training seeds {given.training_seeds}; gain of the medium, by user\n")
        print(
            "| seed | protocol | roles | NDCG@20 | gain of the medium | p |\n|---|---|---|---|---|---|",
            flush=True,
        )
        found: dict[ProtocolName, list[Pairs]] = {protocol: [] for protocol in given.protocols}
        for settings, data in shops:
            for protocol, shops_found in found.items():
                table = shop_table(
                    settings, data, protocol, given.model, given.training_seeds, given.parts, given.added
                )
                shops_found.append(table)
        for protocol, shops_found in found.items():
            for line in pooled_rows(shops_found):
                print(f"| all | {protocol} | {line}", flush=True)


if __name__ == "__main__":
    main()
