"""`POST /v1/search` and `POST /v1/recommendations`: the pipeline without a conversation."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, JsonValue

from api.answers import json_of
from api.fields import SOMETHING, Body, ExternalId, SessionId, TopN, WireFilters, check_top_n
from api.heeding import barring, recommend
from api.listing import at_once, found_items, header, listed, new_request_id, show
from api.media import MediaBody, looked_at, query_of
from api.problems import ApiProblem
from api.service import Service
from api.unknown import RecommendedOut, SearchedOut, with_unknown
from catalog.filters import Filters
from catalog.items import Catalog
from tools.base import Shopper
from tools.crossmodal.search import Found, find
from tools.cursor import cursor_at, page_of
from tools.pipeline.nouns import PipelineRequest, Sort
from tools.shop import Shop
from tools.vocabulary import spoken

_ONE_OF: dict[str, dict[str, Any]] = {
    "query": {"type": "string", "pattern": SOMETHING},
    **{name: {"type": "string"} for name in ("image", "video", "audio")},
    "like": {"type": "array", "minItems": 1},
    "filters": {
        "anyOf": [
            {"required": [name], "properties": {name: kind}}
            for name, kind in {
                "price": {"type": "object"},
                "brand": {"type": "array", "minItems": 1},
                "category": {"type": "array", "minItems": 1},
                "attributes": {"type": "object", "minProperties": 1},
                "available": {"type": "boolean"},
                "not": {"type": "object"},
            }.items()
        ]
    },
}
"""What a search needs at least one of, as JSON schema."""


class SearchBody(MediaBody):
    """What to look for: words, media, examples and counter-examples, filters; at least one of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name], "properties": {name: kind}} for name, kind in _ONE_OF.items()]
        }
    )

    query: str | None = Field(None, max_length=1000, examples=["blue vase"])
    like: list[ExternalId] = Field([], max_length=100)
    unlike: list[ExternalId] = Field([], max_length=100)
    filters: WireFilters = Filters()
    top_n: TopN = 10
    sort: Sort = "relevance"
    cursor: str | None = Field(None, max_length=200)
    user_id: ExternalId | None = None
    session_id: SessionId | None = None


class RecommendBody(Body):
    """Whom to recommend to."""

    user_id: ExternalId | None = None
    session_id: SessionId | None = None
    top_n: TopN = 10
    filters: WireFilters = Filters()
    exclude: list[ExternalId] = Field([], max_length=1000)
    context: dict[str, JsonValue] = Field(
        {},
        description="Of the moment: `device` (`phone`, `tablet`, `laptop`) is read by the ranker, the rest is ignored.",
    )


def search_routes(service: Service) -> APIRouter:
    """Return the router of search and recommendations."""
    router, room = APIRouter(tags=["search"]), at_once(service)

    @router.post(
        "/v1/search",
        summary="Find items by words, a picture, a film, a voice, examples and filters",
        response_model=SearchedOut,
        responses={404: {}, 501: {}},
    )
    def search(body: SearchBody) -> Response:
        """Return a page of results with a score for every channel and every modality."""
        now = service.now()
        shop = now.shop
        if not (body.query or "").strip() and not body.like and body.filters.empty and not body.media:
            detail = "query: say what to look for; query, image, video, audio, like or filters would be valid"
            raise ApiProblem(422, detail, field="query")
        for field, ids in (("like", body.like), ("unlike", body.unlike)):
            check_items(ids, field, shop.catalog)
        top_n = check_top_n(body.top_n, service.config)
        filters, unknown = spoken(body.filters, shop.facets)
        query = (body.query or "").strip() or None
        same = {"query": query, "filters": filters.model_dump(mode="json"), "like": body.like, "unlike": body.unlike}
        same |= {"sort": body.sort, **body.digests()}
        browsing = body.sort != "relevance" and not (query or body.like or body.media)
        first = len(shop.catalog) if browsing else max(shop.pipeline.pool, 3 * top_n)
        offset, reach = page_of(body.cursor, same, first)
        shopper = Shopper(body.user_id, body.session_id)
        request = PipelineRequest(
            shopper,
            datetime.now(UTC),
            filters=filters,
            like=tuple(body.like),
            unlike=tuple(body.unlike),
            sort=body.sort,
            top_n=top_n,
            offset=offset,
            reach=reach,
        )
        with room:
            if not (query or body.like or body.media or body.unlike) and body.sort == "relevance":
                request = barring(now.agent.heed, shop, request)
            found = _found(shop, body, query, request)
            result = found.result
            end = offset + len(result.ranked)
            cursor = cursor_at(end, same, reach) if result.ranked and end < result.total else None
            head = header(result, show(result, shopper, service), told=len(request.barred) > 0)
            answer = SearchedOut(
                **with_unknown(head, unknown),
                items=found_items(found, shop),
                cursor=cursor,
                searched=dict(found.searched),
                heard=found.wish.heard,
                seen=found.wish.seen,
                left_out=list(found.wish.left_out),
            )
            return json_of(answer)

    @router.post("/v1/recommendations", summary="What to show a shopper", response_model=RecommendedOut)
    def recommendations(body: RecommendBody) -> Response:
        """Return the best items for a shopper, known or not; `ground` says what the order rests on."""
        now = service.now()
        shop = now.shop
        device = body.context.get("device")
        shopper = Shopper(body.user_id, body.session_id, device=device if isinstance(device, str) else None)
        top_n = check_top_n(body.top_n, service.config)
        filters, unknown = spoken(body.filters, shop.facets)
        request = PipelineRequest(
            shopper,
            datetime.now(UTC),
            mode="recommend",
            filters=filters,
            exclude=tuple(body.exclude),
            top_n=top_n,
            request_id=new_request_id(),
        )
        with room:
            found = recommend(now.agent.heed, shop, request)
            result, request = found.result, found.request
            head = header(result, show(result, shopper, service, request.request_id), found.said)
            page = listed(result, request, shop)
            return json_of(RecommendedOut(**with_unknown(head, unknown), recommendations=page, memory=found.memory))

    return router


def _found(shop: Shop, body: SearchBody, query: str | None, request: PipelineRequest) -> Found:
    senses = shop.senses
    with looked_at(), senses.turn() if body.media else nullcontext():
        return find(shop, query_of(body, query, senses), request)


def check_items(item_ids: list[str], field: str, catalog: Catalog) -> None:
    """Refuse ids that no item has."""
    for place, item_id in enumerate(item_ids):
        if item_id not in catalog:
            raise ApiProblem(404, f"{field}.{place}: unknown item {item_id!r}", field=f"{field}.{place}")
