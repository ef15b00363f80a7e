"""How an item was found: the signal that brought it, what the order rests on, what is taken most."""

from __future__ import annotations

from collections.abc import Iterator

from agent.explanation_fragments import Fragment
from agent.figures import figure
from agent.gate.grounds import Record
from agent.signals import Signals
from agent.trace import ToolRun
from catalog.nouns import Evidence

_COMPARED = {
    "keyword": "words shared (BM25)",
    "text": "likeness of its text",
    "caption": "likeness of its caption",
    "picture": "likeness of its picture",
    "video": "likeness of its film",
    "fused": "likeness of all of it",
}
_POPULARITY = "popularity"

AHEAD = 5
"""Places by which one signal must put an item before every other does, to be named as what found it: an item that
several find alike would be found without any one of them."""


def pictured(signals: Signals) -> Iterator[Fragment]:
    """Yield that an item was found by a picture, with its score in every way it could be compared."""
    compared = {name: value for name, value in signals.modalities.items() if name != "keyword"}
    if compared:
        evidence = tuple(
            Evidence("signal", name, round(value, 4), f"{_COMPARED.get(name, name)}: {value:.2f}")
            for name, value in signals.modalities.items()
        )
        yield Fragment("among what comes closest to the picture", evidence, theme="picture")


def popular(record: Record, run: ToolRun | None, signals: Signals) -> Iterator[Fragment]:
    """Yield that others take it, where that is what brought it."""
    ground = run.facts.get("ground") if run is not None else None
    alone = list(signals.sources) == [_POPULARITY]
    if ground == _POPULARITY or (ground is None and alone):
        value = signals.features.get(_POPULARITY, record.item.rating_count)
        if value:
            evidence = Evidence("signal", _POPULARITY, value, f"popularity {figure(value)}")
            yield Fragment("popular with other shoppers", (evidence,), theme=_POPULARITY)


def ground_of(run: ToolRun | None) -> Iterator[Evidence]:
    """Yield what the order as a whole rests on."""
    ground = run.facts.get("ground") if run is not None else None
    if ground in ("history", "session"):
        told = {"history": "ordered by your history", "session": "ordered by what you looked at"}[ground]
        yield Evidence("signal", "ground", ground, told)


def found_by(signals: Signals) -> Iterator[Evidence]:
    """Yield the signal that found it, where one stands out, and the chance of a click."""
    ranks = sorted((rank, name) for name, rank in signals.sources.items() if rank > 0)
    if len(ranks) == 1 or (ranks and ranks[1][0] - ranks[0][0] >= AHEAD and not _read_anyway(ranks[0][1], signals)):
        rank, name = ranks[0]
        yield Evidence("signal", name, rank, f"place {rank} by {name}")
    if (clicks := signals.features.get("ctr")) is not None:
        yield Evidence("model", "ctr", round(clicks, 4), f"chance of a click, shown first: {clicks:.1%}")


def _read_anyway(name: str, signals: Signals) -> bool:
    """Whether a ranker reads of the item itself what a signal would tell: whoever proposed it, it stands much the same.

    Measured: without such a signal two of three items fall, hardly more than without any other.
    """
    return "ranker" in signals.features and (name == _POPULARITY or name.startswith("liked:"))
