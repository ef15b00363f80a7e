"""`GET /v1/items/{id}`, its neighbours and its picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.answers import json_of, picture_address
from api.fields import ExternalId, SessionId, check_top_n
from api.listing import SimilarOut, header, listed, show
from api.pictures import Pictures
from api.problems import ApiProblem
from api.service import Service
from catalog.errors import NotFoundError
from catalog.nouns import Item
from tools.base import Shopper
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop


class CaptionOut(BaseModel):
    """Words read from a picture or a video frame, and by what."""

    text: str
    model: str
    frame_time: float | None


class ItemOut(BaseModel):
    """The record of an item; `image` is where this service gives its picture."""

    item_id: str
    parent_id: str | None
    title: str | None
    description: str | None
    price: float | None
    currency: str | None
    brand: str | None
    categories: list[str]
    attributes: dict[str, list[str]]
    sizes: list[str]
    url: str | None
    availability: bool | None
    language: str | None
    rating: float | None
    rating_count: int | None
    image: str | None
    pictures: int
    caption: str | None
    captions: list[CaptionOut]
    pending: bool = Field(False, description="Whether search and recommendations do not know this record yet.")


def item_routes(service: Service, pictures: Pictures) -> APIRouter:
    """Return the router of items. Ids may hold slashes, as `%2F` (see `api.addresses`)."""
    router = APIRouter(tags=["items"])

    @router.get("/v1/items/{item_id:id}/similar", summary="What is close to an item", response_model=SimilarOut)
    def similar(
        item_id: str,
        top_n: Annotated[int, Query(ge=1)] = 10,
        user_id: Annotated[ExternalId | None, Query()] = None,
        session_id: Annotated[SessionId | None, Query()] = None,
    ) -> Response:
        """Return the nearest items, the item itself and its variants left out."""
        shop = service.now().shop
        if item_id not in shop.catalog and service.sells(item_id):
            detail = f"item {item_id!r} was written a moment ago, and what is close to it is still being found"
            raise ApiProblem(503, detail, headers={"Retry-After": "1"})
        item = known(item_id, shop)
        shopper = Shopper(user_id, session_id)
        request = PipelineRequest(
            shopper,
            datetime.now(UTC),
            mode="similar",
            like=(item.item_id,),
            exclude=(item.item_id,),
            top_n=check_top_n(top_n, service.config),
        )
        result = run(shop, request)
        head = header(result, show(result, shopper, service))
        return json_of(SimilarOut(**head, items=listed(result, request, shop)))

    @router.get(
        "/v1/items/{item_id:id}/picture",
        summary="An item's picture",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}, "image/png": {}}}, 304: {"description": "Not changed."}},
    )
    def picture(
        request: Request,
        item_id: str,
        size: Annotated[int, Query(ge=1, le=4096, description="Longest side in pixels, rounded up.")] = 640,
        n: Annotated[int, Query(ge=0, le=99, description="Which of its pictures.")] = 0,
    ) -> Response:
        """Return a picture scaled down, with an `ETag`."""
        found = pictures.thumbnail(newest(item_id, service)[0], n, size)
        headers = {"ETag": found.tag, "Cache-Control": "private, max-age=3600"}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=found.kind, headers=headers)

    @router.get("/v1/items/{item_id:id}", summary="The record of an item")
    def item(item_id: str) -> ItemOut:
        """Return everything the shop says of an item, and what was read from its pictures.

        A record written a moment ago is here at once; `pending` says that search and the rest do not know it yet.
        """
        found, pending = newest(item_id, service)
        return item_out(found, service.now().shop, pending=pending)

    return router


def known(item_id: str, shop: Shop) -> Item:
    """Return an item.

    Raises:
        NotFoundError: When no item has this id.
    """
    found = shop.catalog.get(item_id)
    if found is None:
        raise NotFoundError(f"unknown item {item_id!r} (of {len(shop.catalog)} known)")
    return found


def newest(item_id: str, service: Service) -> tuple[Item, bool]:
    """Return the newest record of an item, and whether snapshots lag behind it.

    Raises:
        NotFoundError: When no item has this id, or it was deleted.
    """
    if service.live is not None:
        item, pending = service.live.record(item_id)
        if item is not None:
            return item, pending
        if service.live.gone(item_id):
            raise NotFoundError(f"item {item_id!r} was deleted")
    return known(item_id, service.now().shop), False


def item_out(item: Item, shop: Shop, *, pending: bool = False) -> ItemOut:
    """Return the record in the wire's form; files of the store stay unnamed."""
    # What was read from the pictures of the record before is nothing to say of this one.
    captions = () if pending else shop.captions.get(item.item_id, ())
    return ItemOut(
        item_id=item.item_id,
        parent_id=item.parent_id,
        title=item.title,
        description=item.description,
        price=item.price,
        currency=item.currency,
        brand=item.brand,
        categories=list(item.categories),
        attributes={name: list(values) for name, values in item.attributes.items()},
        sizes=list(item.sizes),
        url=item.url,
        availability=item.availability,
        language=item.language,
        rating=item.rating,
        rating_count=item.rating_count,
        image=picture_address(item),
        pictures=len(item.images),
        caption=captions[0].text if captions else None,
        captions=[CaptionOut(text=c.text, model=c.model, frame_time=c.frame_time) for c in captions],
        pending=pending,
    )
