"""The page at `/`, its files, the reference at `/docs`, and what the page needs to dress the window."""

from __future__ import annotations

import gzip
import hashlib
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.problems import ApiProblem
from api.service import Service
from catalog.items import Catalog

PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


class ShopOut(BaseModel):
    """What the page says about the shop before anybody asks."""

    name: str
    items: int
    on_offer: int = Field(description="Items not known to be out of stock: what the catalogue of the page shows.")
    categories: list[str]
    currency: str | None
    mind: str
    examples: list[str]
    hears: bool = Field(description="Whether a speech model is there, so that a message may be spoken.")
    sees: bool = Field(description="Whether pictures are read, so that a message may hold one.")


def window_routes(service: Service) -> APIRouter:
    """Return the router of the page."""
    router = APIRouter()
    files = page_files()

    @lru_cache(maxsize=1)
    def described(_catalog: Catalog) -> ShopOut:  # of one snapshot after the other
        return describe(service.now())

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return _sent(request, files["index.html"])

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return _sent(request, files["docs.html"])

    @router.get("/page/{name}", include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        if name not in files:
            raise ApiProblem(404, f"there is no page file {name!r}")
        return _sent(request, files[name])

    @router.get("/v1/shop", tags=["items"], summary="The shop in a few words")
    def shop() -> ShopOut:
        """Return the name, the size, the mind at work and wishes to begin with."""
        return described(service.now().shop.catalog)

    return router


def describe(service: Service) -> ShopOut:
    """Return what the page says about the shop."""
    catalog = service.shop.catalog
    narrow = Counter(item.categories[-1] for item in catalog if item.categories)
    currencies = Counter(item.currency for item in catalog if item.currency)
    active = {**service.shop.active, **service.active}
    return ShopOut(
        name=service.shop.name,
        items=len(catalog),
        on_offer=sum(item.availability is not False for item in catalog),
        categories=[name for name, _ in narrow.most_common(24)],
        currency=currencies.most_common(1)[0][0] if currencies else None,
        mind=service.active.get("mind", "planner"),
        examples=list(service.config.example_wishes) or example_wishes(catalog),
        hears=_there(active.get("speech")),
        sees=_there(active.get("captions")),
    )


def _there(part: str | None) -> bool:
    """Whether a part is at work, by its label (`none`, or `none: why`)."""
    return part is not None and not part.startswith("none")


def example_wishes(catalog: Catalog) -> list[str]:
    """Return up to four wishes this catalogue can meet, from its own commonest words.

    Categories are named as the catalogue names them; a price limit is the median of its category, rounded up to 5.
    """
    by_category: dict[str, list[int]] = {}
    for row, item in enumerate(catalog):
        if item.categories:
            by_category.setdefault(item.categories[-1], []).append(row)
    wishes: list[str] = []
    for place, category in enumerate(sorted(by_category, key=lambda name: (-len(by_category[name]), name))[:4]):
        items = [catalog.items[row] for row in by_category[category]]
        noun = category.casefold()
        prices = sorted(item.price for item in items if item.price is not None)
        words = Counter(value.casefold() for item in items for values in item.attributes.values() for value in values)
        if prices and place % 2 == 0:
            wishes.append(f"{noun.capitalize()} under {math.ceil(prices[len(prices) // 2] / 5) * 5}")
        elif words:
            wishes.append(f"{words.most_common(1)[0][0].capitalize()} {noun}")
        else:
            wishes.append(f"Show me {noun}")
    return wishes


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page as it is sent; `packed` is it in gzip, where that makes it smaller."""

    data: bytes
    kind: str
    tag: str
    packed: bytes | None


def page_files() -> dict[str, PageFile]:
    """Return the files of the page by name. Only these are ever sent: nothing a caller writes becomes a path."""
    files = (path for path in sorted(PAGE.iterdir()) if path.suffix in KINDS)
    contents = {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in files}
    return {
        name: PageFile(data, kind, hashlib.sha256(data).hexdigest()[:20], _packed(data, kind))
        for name, (data, kind) in contents.items()
    }


def _packed(data: bytes, kind: str) -> bytes | None:
    return None if kind == KINDS[".woff2"] else gzip.compress(data, mtime=0)  # a font is packed in itself


def _takes_gzip(accepted: str) -> bool:
    return any(re.fullmatch(r"\s*gzip\s*(;\s*q=(1|0\.\d*[1-9]).*)?", each) for each in accepted.lower().split(","))


def _sent(request: Request, file: PageFile) -> Response:
    packed = file.packed if _takes_gzip(request.headers.get("accept-encoding", "")) else None
    headers = {"ETag": f'"{file.tag}{"-gz" if packed else ""}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") in (f'"{file.tag}"', f'"{file.tag}-gz"'):
        return Response(status_code=304, headers=headers)
    if packed is None:
        return Response(file.data, media_type=file.kind, headers=headers)
    return Response(packed, media_type=file.kind, headers={**headers, "Content-Encoding": "gzip"})
