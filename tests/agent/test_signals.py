"""What the pipeline says of a result reads the same from itself and from the trace it is kept in."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from agent.signals import Held, Signals, signals_at, signals_of
from indexes.fusion import SourceRank
from indexes.keyword import TermMatch
from tools.answers import ranked_trace
from tools.because import Because
from tools.pipeline.nouns import Closest, Ranked

NOON = datetime(2026, 2, 26, 12, tzinfo=UTC)
SCARF = Ranked(
    "S05",
    rank=1,
    score=0.9,
    sources=(SourceRank("keyword", 2, 7.5), SourceRank("liked:text", 1, 0.8)),
    features={"popularity": 3.0, "ctr": 0.12},
    matched=(TermMatch("scarf", ("title", "category"), 1.5),),
    closest=Closest("S01", "purchase", "text", 0.75),
)
HELD = {"S05": (Because("S01", "purchase", NOON, 0.71239, 4), Because("M01", "history", None, 0.2, None))}


def test_a_page_says_what_its_trace_says():
    page = [SCARF, Ranked("V01", rank=2, score=0.1)]
    kept = json.loads(json.dumps([ranked_trace(each, HELD) for each in page]))
    assert signals_at(page, HELD) == signals_of({"ranked": kept})


def test_a_page_tells_all_of_it():
    assert signals_at([SCARF], HELD)["S05"] == Signals(
        sources={"keyword": 2, "liked:text": 1},
        matched={"scarf": ("title", "category")},
        example=("S01", "purchase", 0.75),
        features={"popularity": 3.0, "ctr": 0.12},
        held=(
            Held("S01", "purchase", "2026-02-26T12:00:00+00:00", 0.7124, 4),
            Held("M01", "history", None, 0.2, None),
        ),
    )
