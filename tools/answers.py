"""A pipeline result as a tool's answer: items, facts, one plain sentence, and the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from catalog.nouns import Candidate
from tools.base import ToolResult
from tools.because import Because, told
from tools.pipeline.nouns import PipelineRequest, PipelineResult, Ranked
from tools.vocabulary import UnknownValue

_GROUNDS = {
    "query": "by how well they match",
    "example": "by likeness",
    "catalogue": "in the order asked for",
    "history": "by the shopper's history",
    "session": "by what the shopper looked at",
    "content": "by their content",
    "popularity": "by popularity, since nothing is known of the shopper",
}


def answer(
    tool: str,
    request: PipelineRequest,
    result: PipelineResult,
    *,
    unknown: Sequence[UnknownValue] = (),
    cursor: str | None = None,
    because: Mapping[str, tuple[Because, ...]] | None = None,
) -> ToolResult:
    """Return the answer of `tool`.

    Args:
        tool: Its name.
        request: What was asked of the pipeline.
        result: What it gave.
        unknown: Values of the filters that the catalogue does not have.
        cursor: Stands for the next page, where there is one.
        because: By result, what of the shopper's past it rests on, where that was tried.
    """
    facts: dict[str, Any] = {
        "total": result.total,
        "ground": result.ground,
        "nearest": result.nearest,
        "blocking": None if result.blocking is None else result.blocking.as_fact(),
        "unknown_words": list(result.unknown_words),
        "unknown": [{**asdict(each), "closest": list(each.closest)} for each in unknown],
        "unavailable": list(result.unavailable),
        "variants": {item_id: list(ids) for item_id, ids in result.variants.items()},
        "cursor": cursor,
        "degraded": list(result.trace.get("degraded", ())),
    }
    always = ("total", "ground", "nearest")
    return ToolResult(
        text=sentence(result, request.query),
        candidates=tuple(Candidate(each.item_id, each.score, tool) for each in result.ranked),
        facts={name: value for name, value in facts.items() if name in always or value},
        trace={**result.trace, "ranked": [ranked_trace(each, because) for each in result.ranked]},
    )


def sentence(result: PipelineResult, query: str | None) -> str:
    """Say in one sentence what was found."""
    one = len(result.ranked) == 1
    shown = "1 item" if one else f"{len(result.ranked)} items"
    nearest = "the nearest item follows" if one else f"the nearest {len(result.ranked)} follow"
    if result.blocking is not None:
        blocked = result.blocking
        fields = " and ".join((blocked.field, *blocked.also))
        if not result.ranked:
            return f"Nothing is left: {fields} hides what would fit."
        return f"Nothing fits everything: without {fields} there would be {blocked.relaxed}; {nearest}."
    if result.nearest:
        return f"Nothing here answers {query!r}; {nearest}."
    if not result.ranked:
        return "There is nothing more to show." if result.total else "Nothing was found."
    return f"{shown}, {_GROUNDS[result.ground]}."


def ranked_trace(ranked: Ranked, because: Mapping[str, tuple[Because, ...]] | None = None) -> dict[str, Any]:
    """Return everything one place rests on, JSON-ready.

    `{"item_id", "rank", "score", "sources": [{"source", "rank", "score"}], "features": {name: value},
    "matched": [{"word", "fields", "weight"}], "closest": null | {"item_id", "why", "space", "cosine"},
    "because": [{"item_id", "why", "when", "likeness", "place"}]}`

    What each feature added to a ranker's score takes as long as the ranking and follows from the features:
    `tools.evidence.contributions_of` gives it to whoever asks.
    """
    return {
        "item_id": ranked.item_id,
        "rank": ranked.rank,
        "score": ranked.score,
        "sources": [{"source": s.name, "rank": s.rank, "score": s.score} for s in ranked.sources],
        "features": dict(ranked.features),
        "matched": [{**asdict(match), "fields": list(match.fields)} for match in ranked.matched],
        "closest": None if ranked.closest is None else asdict(ranked.closest),
        "because": told(because or {}, ranked.item_id),
    }
