"""`PUT` and `DELETE /v1/items/{id}`: what the shop offers, written while it is open."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from api.config import ApiConfig
from api.fields import Body, ExternalId, Whole
from api.keys import Doorkeeper
from api.problems import ApiProblem
from api.service import Service
from catalog.media.refs import FETCHED, is_url
from catalog.nouns import Item
from catalog.readers.values import DEAREST
from tools.live import LiveShop

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
Text = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]
Address = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$")]


class ItemIn(Body):
    """The whole record of an item; what is left out it does not have."""

    item_id: ExternalId | None = Field(None, description="May be left out; otherwise that of the address.")
    parent_id: ExternalId | None = Field(None, description="Variants of one parent share one place in a list.")
    title: Line | None = Field(None, examples=["Cobalt vase"])
    description: Text | None = None
    price: Annotated[float, Field(ge=0, le=DEAREST)] | None = Field(None, examples=[24.0])
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = Field(None, examples=["EUR"])
    brand: Line | None = None
    categories: list[Line] = Field([], max_length=20, description="From broad to narrow.", examples=[["home", "vases"]])
    attributes: dict[Line, list[Line]] = Field({}, max_length=200, examples=[{"colour": ["blue"]}])
    images: list[Address] = Field([], max_length=50, description="http(s) URLs, or files below `media/` of the store.")
    videos: list[Address] = Field([], max_length=10, description="Likewise.")
    url: Address | None = None
    availability: bool | None = None
    language: Annotated[str, StringConstraints(max_length=35)] | None = None
    rating: Annotated[float, Field(ge=0, le=DEAREST)] | None = None
    rating_count: Annotated[Whole, Field(ge=0, lt=2**53)] | None = None
    sizes: list[Line] = Field([], max_length=200)

    def noun(self, item_id: str) -> Item:
        """Return the record as the shop keeps it."""
        given = self.model_dump(exclude={"item_id", "attributes"})
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
        }
        attributes = {name: tuple(values) for name, values in self.attributes.items() if values}
        return Item(item_id=item_id, attributes=attributes, **plain)


class WrittenOut(BaseModel):
    """What became of a record."""

    item_id: str
    created: bool
    changed: bool = Field(description="Whether anything is different from before.")
    pending: bool = Field(description="Whether search, recommendations and conversations are still to learn of it.")


class DeletedOut(BaseModel):
    """What became of a deletion; `deleted` is false where there was nothing, so that asking twice does no harm."""

    item_id: str
    deleted: bool


def item_write_routes(service: Service, keys: Doorkeeper) -> APIRouter:
    """Return the router of writes to the catalogue."""
    router = APIRouter(tags=["items"])

    @router.put(
        "/v1/items/{item_id:id}",
        summary="Write an item",
        responses={202: {"model": WrittenOut, "description": "Kept; the rest of the shop follows within seconds."}},
    )
    def put(item_id: ExternalId, body: ItemIn, request: Request, response: Response) -> WrittenOut:
        """Write a record, new or in place of the one before; on the answer it is on the disk.

        `GET` gives it at once. Captions, vectors, search, recommendations and conversations follow in the background;
        until they do, `pending` is true.
        """
        live = _writable(service, request, keys)
        if body.item_id not in (None, item_id):
            raise ApiProblem(422, f"item_id: {body.item_id!r} is not {item_id!r}, the address's", field="item_id")
        check_addresses(body)
        written = live.put(body.noun(item_id))
        response.status_code = 202 if written.pending else 200
        return WrittenOut(item_id=item_id, created=written.created, changed=written.changed, pending=written.pending)

    @router.delete("/v1/items/{item_id:id}", summary="Delete an item")
    def delete(item_id: ExternalId, request: Request) -> DeletedOut:
        """Delete an item; from the answer on nobody is shown it, in whatever they began before."""
        return DeletedOut(item_id=item_id, deleted=_writable(service, request, keys).delete(item_id).changed)

    return router


def check_addresses(body: ItemIn) -> None:
    """Refuse addresses that lead anywhere but to the web or into the store's own media."""
    if body.url is not None and not is_url(body.url):
        raise ApiProblem(422, f"url: {body.url!r} is no http(s) URL", field="url")
    for field, refs in (("images", body.images), ("videos", body.videos)):
        for place, ref in enumerate(refs):
            inside = ref.startswith(f"{FETCHED}/") and ".." not in ref.split("/") and "://" not in ref
            if not is_url(ref) and not inside:
                detail = (
                    f"{field}.{place}: {ref!r}; an http(s) URL, or a file of the store as '{FETCHED}/...', is valid"
                )
                raise ApiProblem(422, detail, field=f"{field}.{place}")


def may_write(tenant: str, config: ApiConfig, keys: Doorkeeper) -> bool:
    """Whether a tenant may write what all of them see: one that is named, or the only one there is."""
    if config.catalogue_tenants:
        return tenant in config.catalogue_tenants
    return len(keys.tenants) <= 1


def _writable(service: Service, request: Request, keys: Doorkeeper) -> LiveShop[Service]:
    """Return where to write.

    Raises:
        ApiProblem: 403 for a tenant that may not; 501 where the catalogue never changes.
    """
    tenant: str = request.state.tenant
    if not may_write(tenant, service.config, keys):
        raise ApiProblem(403, f"tenant {tenant!r} may not write items: api.catalogue_tenants names who may")
    if service.live is None:
        raise ApiProblem(501, "this service was opened without a journal of items: nothing can be written to it")
    return service.live
