"""The whole evidence of an item in an answer that was given: read from its trace, whatever the shop would say today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog.errors import NotFoundError
from tools.base import Shopper
from tools.evidence import evidence_of
from tools.explaining import values_of
from tools.shop import Shop
from tools.taste import past_events


def explained_in(shop: Shop, trace: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    """Return what `tools.evidence.evidence_of` tells of an item of an answer, with the call that found it.

    Args:
        shop: Open; records, captions and the ranker are those of today.
        trace: Of the answer, as `shop.events.trace` gives it.
        item_id: The item.

    Returns:
        `{"trace_id", "tool", "ground", "said", ...}` and the evidence.

    Raises:
        NotFoundError: When no call of that answer ranked the item, or it is no longer sold.
    """
    for run in reversed(trace.get("tools") or ()):
        told = run.get("trace") or {}
        entries = told.get("ranked") or ()
        entry = next((each for each in entries if each.get("item_id") == item_id), None)
        if entry is None:
            continue
        if item_id not in shop.catalog:
            raise NotFoundError(f"item {item_id!r} is no longer in the catalogue")
        arguments = run.get("arguments") or {}
        filters = {name: value for name, value in (arguments.get("filters") or {}).items() if name != "not"}
        said = " ".join([str(arguments.get("query") or ""), *values_of(filters)]).strip()
        shopper = Shopper(trace.get("user_id"), trace.get("session_id"))
        past = past_events(shopper, shop.events, datetime.fromisoformat(str(trace["started_at"])))
        proposed = told.get("sources") or {}
        evidence = evidence_of(shop, entry, proposed=proposed, others=entries, said=said, past=past)
        ground = (run.get("facts") or {}).get("ground")
        return {"trace_id": trace.get("trace_id"), "tool": run["tool"], "ground": ground, "said": said, **evidence}
    shown = [str(each) for each in (trace.get("answer") or {}).get("item_ids") or ()]
    valid = f"; it showed {', '.join(shown[:5])}" if shown else ""
    raise NotFoundError(f"no search of trace {trace.get('trace_id')!r} ranked the item {item_id!r}{valid}")
