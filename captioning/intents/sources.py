"""The texts of a shop's log that intents are read from: reviews, notes, searches and transcribed calls."""

from __future__ import annotations

import polars as pl

from captioning.intents.base import Utterance
from catalog.columns import Schema
from catalog.errors import NothingToDo
from catalog.intents import TextSource
from catalog.spoken import TRANSCRIPTS_FILE
from catalog.workspace import Workspace

KINDS: dict[str, TextSource] = {
    "rating": "review", "purchase": "review", "praise": "praise", "complaint": "complaint", "return": "return",
}  # fmt: skip
"""What the text of an event is, by its kind; texts of other kinds (a cart, a dismissal) count as calls."""

TEXTS: Schema = {
    "event_id": pl.String, "source": pl.String, "user_id": pl.String, "item_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"), "text": pl.String, "stars": pl.Float64,
}  # fmt: skip
QUERY = "query"
"""Key of a search in the context of an event."""


def shop_texts(workspace: Workspace, transcripts: str | None = None) -> pl.DataFrame:
    """Return every text (`TEXTS`) of the store's log, in its order; a search counts once a shopper and session.

    Args:
        workspace: Holds the catalogue.
        transcripts: Name of the transcripts whose words are calls, such as `whisper`; None reads none.

    Raises:
        NotBuiltError: When the catalogue, or the transcripts that are named, are missing.
        NothingToDo: When nobody wrote or said anything.
    """
    with workspace.reading("catalog") as folder:
        log = pl.read_parquet(folder / "log.parquet")
    parts = [written(log), searched(log)]
    if transcripts is not None:
        with workspace.reading(f"transcripts/{transcripts}") as folder:
            said = pl.read_parquet(folder / TRANSCRIPTS_FILE, columns=["event_id", "text"])
        parts.append(spoken(log, said))
    texts = pl.concat(parts)
    if not len(texts):
        raise NothingToDo(f"none of the {len(log):,} events holds a text, a search or a transcribed call")
    return texts


def written(log: pl.DataFrame) -> pl.DataFrame:
    """Return the texts of events: reviews with their stars, and notes."""
    source = pl.col("kind").replace_strict(KINDS, default="call", return_dtype=pl.String)
    stars = pl.when(pl.col("kind") == "rating").then("value")
    return _texts(log.with_columns(source=source, stars=stars))


def searched(log: pl.DataFrame) -> pl.DataFrame:
    """Return the searches, each at the first event of its session that tells of it."""
    found = log.with_columns(text=pl.col("context").str.json_path_match(f"$.{QUERY}"))
    # json_path_match gives numbers as text too; a search is words, whatever they are.
    asked = found.filter(pl.col("text").is_not_null()).sort("timestamp", maintain_order=True)
    session = pl.coalesce("session_id", "event_id")
    first = asked.with_columns(_session=session).unique(
        ["user_id", "_session", "text"], keep="first", maintain_order=True
    )
    return _texts(first.with_columns(source=pl.lit("query"), stars=pl.lit(None, pl.Float64)))


def spoken(log: pl.DataFrame, transcripts: pl.DataFrame) -> pl.DataFrame:
    """Return what was said in recorded calls (`event_id`, `text`; null where nothing was heard)."""
    said = transcripts.filter(pl.col("text").is_not_null()).unique("event_id", keep="first", maintain_order=True)
    calls = log.drop("text").join(said, on="event_id", how="inner", maintain_order="left")
    return _texts(calls.with_columns(source=pl.lit("call"), stars=pl.lit(None, pl.Float64)))


def utterances(texts: pl.DataFrame) -> list[Utterance]:
    """Return the rows of `TEXTS` as nouns."""
    return [Utterance(*row) for row in texts.select("text", "source", "stars").iter_rows()]


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    worded = rows.filter(pl.col("text").str.strip_chars().str.len_chars() > 0)
    return worded.select(pl.col(name).cast(dtype) for name, dtype in TEXTS.items())
