"""Every tool there is, in the order a reader meets them."""

from __future__ import annotations

from tools.crossmodal.tool import search_by_picture
from tools.details import compare_items, item_details
from tools.explaining import explain_item
from tools.facts import catalogue_facts
from tools.history import record_feedback, shopper_history, undo_feedback
from tools.profile import forget_told, get_profile
from tools.recommend import rank_items, recommend_items
from tools.registry import ToolFunction
from tools.search import search_items, similar_items

TOOLS: tuple[ToolFunction, ...] = (
    search_items,
    similar_items,
    search_by_picture,
    recommend_items,
    rank_items,
    item_details,
    compare_items,
    explain_item,
    catalogue_facts,
    shopper_history,
    record_feedback,
    undo_feedback,
    get_profile,
    forget_told,
)
