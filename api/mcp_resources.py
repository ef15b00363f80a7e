"""Items as MCP resources: `vitrine://items/{id}` is the record, `vitrine://items/{id}/picture` a small picture."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp_types import (
    BlobResourceContents,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from api.items import known
from api.pictures import Pictures
from api.service import Service
from catalog.errors import NotFoundError
from catalog.nouns import Item
from tools.cursor import cursor_at, page_of
from tools.limits import MAX_ITEMS
from tools.records import full_record

PREFIX = "vitrine://items/"
PICTURE = "/picture"
SIDE = 320
"""Longest side, in pixels, of a picture given as a resource: enough to see an item, small enough for a model."""

Context = ServerRequestContext[Any, Any]


def item_uri(item_id: str) -> str:
    """Return the address of a record."""
    return PREFIX + quote(item_id, safe="")


def picture_uri(item_id: str) -> str:
    """Return the address of an item's first picture."""
    return item_uri(item_id) + PICTURE


@dataclass
class McpResources:
    """Lists and reads the items of a shop.

    Attributes:
        service: The open shop.
        pictures: Where small pictures come from.
    """

    service: Service
    pictures: Pictures = field(init=False)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.service.shop.root, self.service.config.picture_sizes)

    async def listed(self, _context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        """List the records, a hundred a page, in the catalogue's order."""
        items = self.service.now().shop.catalog.items
        same = {"resources": True}  # items come and go between two pages
        offset, _ = page_of(params.cursor if params is not None else None, same)
        end = offset + MAX_ITEMS
        return ListResourcesResult(
            resources=[_resource(item) for item in items[offset:end]],
            next_cursor=cursor_at(end, same) if end < len(items) else None,
        )

    async def templates(self, _context: Context, _params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        """Say how the addresses are made."""
        record = ResourceTemplate(
            uri_template=PREFIX + "{item_id}",
            name="item",
            description="The full record of an item: price, stock, attributes, description, what its pictures show.",
            mime_type="application/json",
        )
        picture = ResourceTemplate(
            uri_template=PREFIX + "{item_id}" + PICTURE,
            name="picture",
            description=f"The first picture of an item, up to {SIDE} pixels wide and high.",
            mime_type="image/jpeg",
        )
        return ListResourceTemplatesResult(resource_templates=[record, picture])

    async def read(self, _context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Give a record or a picture; raises NotFoundError."""
        rest = params.uri.removeprefix(PREFIX)
        if rest == params.uri or not rest:
            raise NotFoundError(f"unknown resource {params.uri!r}; {PREFIX}<item_id> would be valid")
        shop = self.service.now().shop
        if rest.endswith(PICTURE):
            item = known(unquote(rest.removesuffix(PICTURE)), shop)
            small = await anyio.to_thread.run_sync(self.pictures.thumbnail, item, 0, SIDE)
            blob = base64.b64encode(small.data).decode()
            return ReadResourceResult(contents=[BlobResourceContents(uri=params.uri, mime_type=small.kind, blob=blob)])
        found = full_record(shop, known(unquote(rest), shop))
        text = json.dumps(found, ensure_ascii=False)
        return ReadResourceResult(
            contents=[TextResourceContents(uri=params.uri, mime_type="application/json", text=text)]
        )


def _resource(item: Item) -> Resource:
    return Resource(
        uri=item_uri(item.item_id),
        name=item.item_id,
        title=item.title,
        mime_type="application/json",
    )
