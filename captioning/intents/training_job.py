"""`encoders/intents` of a store: trained once for a catalogue, its captions, its texts and the settings."""

from __future__ import annotations

import time
from dataclasses import dataclass

import polars as pl

from captioning.intents.encoder import ARTIFACT, FORMAT, load_encoder
from captioning.intents.language import english
from captioning.intents.sources import shop_texts, utterances
from captioning.intents.trained import TrainedIntents
from captioning.intents.training import IntentTrainingConfig, train_encoder
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.workspace import Workspace, content_key


@dataclass(frozen=True)
class ReadyExtractor:
    """The trained extractor of a store, and a line that says what it learned from."""

    extractor: TrainedIntents
    line: str


def trained_intents(
    workspace: Workspace,
    config: IntentTrainingConfig | None = None,
    *,
    captions: str | None = None,
    transcripts: str | None = None,
    again: bool = False,
    progress: Progress = SILENT,
) -> ReadyExtractor:
    """Return the extractor trained on the store, training it where nothing current stands.

    Args:
        workspace: Holds the catalogue; `encoders/intents` is written into it.
        config: How it learns.
        captions: Name of the captions whose words are part of the shop's vocabulary; None: none are.
        transcripts: Name of the transcripts that are read as calls.
        again: Train even where nothing has changed.
        progress: Told of the two steps.

    Raises:
        NotBuiltError: When the catalogue, captions or transcripts are missing.
        NothingToDo: When nobody wrote or said anything.
        DataError: When what stands in the store is damaged.
    """
    config = config or IntentTrainingConfig()
    inputs = [
        "catalog",
        *([f"captions/{captions}"] if captions else []),
        *([f"transcripts/{transcripts}"] if transcripts else []),
    ]
    keys = [manifest.key if (manifest := workspace.manifest(name)) else None for name in inputs]
    key = content_key(ARTIFACT, FORMAT, english().sha, keys, config.model_dump(mode="json"))
    if workspace.has(ARTIFACT, key) and not again:
        return ReadyExtractor(TrainedIntents(load_encoder(workspace), key), f"{ARTIFACT}: already current")
    progress.start(ARTIFACT, 2)
    began = time.perf_counter()
    texts = shop_texts(workspace, transcripts)
    if config.as_of is not None:
        texts = texts.filter(pl.col("timestamp") < config.as_of)
    progress.advance()
    shop = load_shop(workspace)
    trained = train_encoder(list(shop.catalog), utterances(texts), _captions(workspace, captions), config)
    progress.advance()
    progress.finish()
    seconds = time.perf_counter() - began
    meta = {
        "phrases": len(trained.encoder.vocabulary), "texts": trained.texts, "clauses": trained.clauses,
        "words": trained.words, "seconds": round(seconds, 3), "seed": config.seed,
        "as_of": config.as_of.isoformat() if config.as_of else None,
    }  # fmt: skip
    with workspace.writing(ARTIFACT, key, meta) as folder:
        trained.encoder.save(folder)
    line = (
        f"{ARTIFACT}: learned from {trained.texts:,} different texts and "
        f"{len(trained.encoder.vocabulary):,} phrases of the catalogue, {seconds:.1f} s"
    )
    return ReadyExtractor(TrainedIntents(trained.encoder, key), line)


def _captions(workspace: Workspace, name: str | None) -> list[str]:
    if name is None:
        return []
    with workspace.reading(f"captions/{name}") as folder:
        return pl.read_parquet(folder / "captions.parquet", columns=["text"])["text"].to_list()
