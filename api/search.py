"""`POST /v1/search` and `POST /v1/recommendations`: the pipeline without a conversation."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import Field, JsonValue

from api.fields import Body, ExternalId, SessionId, TopN, check_top_n
from api.listing import FoundOut, RecommendationsOut, header, listed, show
from api.problems import ApiProblem
from api.service import Service
from catalog.filters import Filters
from catalog.items import Catalog
from tools.base import Shopper
from tools.cursor import cursor_at, offset_of
from tools.pipeline.nouns import PipelineRequest, Sort
from tools.pipeline.run import run
from tools.vocabulary import spoken


class SearchBody(Body):
    """What to look for: words, examples and counter-examples, filters; at least one of them."""

    query: str | None = Field(None, max_length=1000, examples=["blue vase"])
    image: str | None = Field(None, description="A picture as a data URL or http(s) URL.")
    like: list[ExternalId] = Field([], max_length=100)
    unlike: list[ExternalId] = Field([], max_length=100)
    filters: Filters = Filters()
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
    filters: Filters = Filters()
    exclude: list[ExternalId] = Field([], max_length=1000)
    context: dict[str, JsonValue] = Field({}, description="Kept for rankers that use it; none does yet.")


def search_routes(service: Service) -> APIRouter:
    """Return the router of search and recommendations."""
    router = APIRouter(tags=["search"])
    shop = service.shop

    @router.post("/v1/search", summary="Find items by words, examples and filters")
    def search(body: SearchBody) -> FoundOut:
        """Return a page of results with a score for every channel."""
        if body.image is not None:
            detail = "picture search needs a picture-text model: run `vitrine train clip`, then `vitrine embed`"
            raise ApiProblem(501, detail, field="image")
        if not (body.query or "").strip() and not body.like and body.filters.empty:
            raise ApiProblem(422, "query: say what to look for; query, like or filters would be valid", field="query")
        for field, ids in (("like", body.like), ("unlike", body.unlike)):
            check_items(ids, field, shop.catalog)
        top_n = check_top_n(body.top_n, service.config)
        filters, _ = spoken(body.filters, shop.facets)
        query = (body.query or "").strip() or None
        same = {"query": query, "filters": filters.model_dump(mode="json"), "like": body.like, "unlike": body.unlike}
        same["sort"] = body.sort
        offset = offset_of(body.cursor, same)
        shopper = Shopper(body.user_id, body.session_id)
        request = PipelineRequest(
            shopper,
            datetime.now(UTC),
            query=query,
            filters=filters,
            like=tuple(body.like),
            unlike=tuple(body.unlike),
            sort=body.sort,
            top_n=top_n,
            offset=offset,
        )
        result = run(shop, request)
        end = offset + len(result.ranked)
        cursor = cursor_at(end, same) if result.ranked and end < result.total else None
        return FoundOut(
            **header(result, show(result, shopper, service)), items=listed(result, request, shop), cursor=cursor
        )

    @router.post("/v1/recommendations", summary="What to show a shopper")
    def recommendations(body: RecommendBody) -> RecommendationsOut:
        """Return the best items for a shopper, known or not; `ground` says what the order rests on."""
        shopper = Shopper(body.user_id, body.session_id)
        top_n = check_top_n(body.top_n, service.config)
        filters, _ = spoken(body.filters, shop.facets)
        request = PipelineRequest(
            shopper,
            datetime.now(UTC),
            mode="recommend",
            filters=filters,
            exclude=tuple(body.exclude),
            top_n=top_n,
        )
        result = run(shop, request)
        head = header(result, show(result, shopper, service))
        return RecommendationsOut(**head, recommendations=listed(result, request, shop))

    return router


def check_items(item_ids: list[str], field: str, catalog: Catalog) -> None:
    """Refuse ids that no item has."""
    for place, item_id in enumerate(item_ids):
        if item_id not in catalog:
            raise ApiProblem(422, f"{field}.{place}: unknown item {item_id!r}", field=f"{field}.{place}")
