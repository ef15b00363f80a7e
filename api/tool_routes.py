"""`GET /v1/tools` and `POST /v1/tools/{name}`: the registry on the wire."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, JsonValue

from api.answers import picture_address
from api.fields import Body, ExternalId, SessionId
from api.problems import ApiProblem
from api.scopes import demand_tool
from api.service import Service
from api.tool_context import tool_context
from catalog.errors import did_you_mean
from catalog.nouns import Candidate, Slate
from tools.base import Access, Shopper
from tools.experiment import assignment_of
from tools.outward import call_from_outside, openai_form
from tools.shop import Shop


class ToolOut(BaseModel):
    """A tool as a model reads it; `parameters` is a JSON schema."""

    name: str
    description: str
    access: Access
    parameters: dict[str, Any]


class ToolsOut(BaseModel):
    """Every tool, in its own form and in OpenAI's."""

    tools: list[ToolOut]
    openai: list[dict[str, Any]]


class CallBody(Body):
    """A call: the arguments, and who it is made for; what a model wrote belongs into `arguments` alone."""

    arguments: dict[str, JsonValue] = Field({}, examples=[{"query": "blue vase"}])
    user_id: ExternalId | None = None
    session_id: SessionId | None = None
    confirmation: str | None = Field(
        None,
        max_length=200,
        description="The token of `needs_confirmation`, once the shopper agreed to this call.",
    )


class ToolItemOut(BaseModel):
    """An item a tool names."""

    item_id: str
    title: str | None
    price: float | None
    currency: str | None
    brand: str | None
    score: float | None
    source: str
    image: str | None


class ToolAnswerOut(BaseModel):
    """What a tool answers."""

    text: str
    items: list[ToolItemOut]
    facts: dict[str, Any]
    trace: dict[str, Any]
    request_id: str


def tool_routes(service: Service) -> APIRouter:
    """Return the router of the tools."""
    router = APIRouter(tags=["tools"])

    @router.get("/v1/tools", summary="What an agent may do")
    def tools(
        strict: Annotated[bool, Query(description="Give `openai` in the subset of structured outputs.")] = False,
    ) -> ToolsOut:
        """List every tool with its schema."""
        registry = service.now().registry
        listed = [
            ToolOut(name=t.name, description=t.description, access=t.access, parameters=dict(t.parameters))
            for t in registry.tools.values()
        ]
        openai = [openai_form(each, strict=strict) for each in registry.tools.values()]
        return ToolsOut(tools=listed, openai=openai)

    @router.post("/v1/tools/{name:id}", summary="Call a tool", responses={409: {}})
    def call(name: str, body: CallBody) -> ToolAnswerOut:
        """Run a tool; a 422 can be mended by its text, a 503 cannot be helped now."""
        here = service.now()
        shop, tool = here.shop, here.registry.tools.get(name)
        if tool is None:
            hint = did_you_mean(name, list(here.registry.tools))
            raise ApiProblem(404, f"unknown tool {name!r}. {hint}", field="name")
        demand_tool(tool)
        request_id = uuid.uuid4().hex
        shopper = Shopper(body.user_id, body.session_id)
        context = tool_context(here, shopper, request_id, body.confirmation)
        result = call_from_outside(tool, body.arguments, context)
        item_ids = tuple(each.item_id for each in result.candidates if each.item_id in shop.catalog)
        if item_ids and tool.access == "read":
            # No tool draws its items by chance, so every one stood there for certain.
            certain = (1.0,) * len(item_ids)
            arm = assignment_of(shop, shopper)
            slate = Slate(request_id, shopper.user_id, shopper.session_id, context.now, item_ids, certain, arm)
            shop.events.put_slate(slate)
        return ToolAnswerOut(
            text=result.text,
            items=[_item(candidate, shop) for candidate in result.candidates],
            facts=dict(result.facts),
            trace=dict(result.trace),
            request_id=request_id,
        )

    return router


def _item(candidate: Candidate, shop: Shop) -> ToolItemOut:
    item = shop.catalog.get(candidate.item_id)
    return ToolItemOut(
        item_id=candidate.item_id,
        title=item.title if item else None,
        price=item.price if item else None,
        currency=item.currency if item else None,
        brand=item.brand if item else None,
        score=candidate.score,
        source=candidate.source,
        image=picture_address(item),
    )
