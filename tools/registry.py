"""The registry: every tool once, for the agent, REST and MCP alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from catalog.errors import ToolRetry, did_you_mean
from tools.arguments import validated
from tools.base import Access, Tool, ToolContext, ToolResult
from tools.confirmation import VALID, Confirmations
from tools.outward import mcp_form, openai_form
from tools.schema import arguments_model, described, strict_schema
from tools.shop import Shop
from tools.writes import wrote


@dataclass(frozen=True)
class Call:
    """What every tool function gets first, and no schema shows: the shop, and what the call is bound to."""

    shop: Shop
    context: ToolContext
    tool: str
    confirmations: Confirmations

    def confirmed(self, arguments: str) -> bool:
        """Whether the shopper agreed to this write, with these very arguments (canonical, ids resolved).

        Raises:
            ToolRetry: When the caller brought a token that is not for them.
        """
        token, context = self.context.confirmation, self.context
        if token is None:
            return arguments in context.confirmed
        self.confirmations.check(token, self.tool, arguments, context.shopper, context.now)
        return True

    def question(self, text: str, arguments: str) -> dict[str, Any]:
        """Return the facts of a write that waits for the shopper's yes to `text`."""
        asked = {"tool": self.tool, "arguments": json.loads(arguments), "canonical": arguments, "text": text}
        context = self.context
        if context.relayed:
            asked["confirmation"] = self.confirmations.token(self.tool, arguments, context.shopper, context.now)
            asked["expires"] = (context.now + VALID).isoformat()
        return {"needs_confirmation": asked}

    def once(self, write: Callable[[], bool]) -> bool:
        """Write, unless this confirmation has written before; return whether anything was new."""
        token = self.context.confirmation
        if token is None:
            return write()
        if self.confirmations.spent(token):
            return False
        new = write()
        self.confirmations.spend(token)
        return new


@dataclass(frozen=True)
class ToolFunction:
    """A typed function with its schema, not yet bound to a shop."""

    function: Callable[..., ToolResult]
    access: Access
    destructive: bool = False

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.__name__

    @cached_property
    def description(self) -> str:
        """The docstring without its sections."""
        return described(self.function).summary

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model that validates arguments."""
        return arguments_model(self.function)

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The strict JSON schema of the arguments."""
        return strict_schema(self.model)


def tool(*, access: Access, destructive: bool = False) -> Callable[[Callable[..., ToolResult]], ToolFunction]:
    """Make a function a tool; the first parameter is the `Call`, the others need a line under `Args`.

    Args:
        access: Whether it writes.
        destructive: Whether what it writes takes something away.
    """
    return lambda function: ToolFunction(function, access, destructive)


class BoundTool:
    """A tool of one shop; see `tools.base.Tool`."""

    def __init__(self, tool: ToolFunction, shop: Shop, confirmations: Confirmations) -> None:
        self.name = tool.name
        self.description = tool.description
        self.access = tool.access
        self.destructive = tool.destructive
        self.parameters = tool.parameters
        self._tool = tool
        self._shop = shop
        self._confirmations = confirmations

    def call(self, arguments: Mapping[str, Any] | None, context: ToolContext) -> ToolResult:
        """Validate and run; None counts as no arguments."""
        checked = validated(self._tool.model, self.parameters, arguments)
        given = {name: getattr(checked, name) for name in type(checked).model_fields}
        result = self._tool.function(Call(self._shop, context, self.name, self._confirmations), **given)
        if self.access == "write" and "needs_confirmation" not in result.facts:
            wrote(self.name)
        return result


class Registry:
    """The tools of one shop by name.

    Args:
        shop: What the tools read (and, for events, write).
        tools: Which tools; every one by default.
        confirmations: Who mints the tokens of consent; one of its own by default.
    """

    def __init__(
        self, shop: Shop, tools: Sequence[ToolFunction] | None = None, confirmations: Confirmations | None = None
    ) -> None:
        from tools.all_tools import TOOLS

        self.shop = shop
        chosen = TOOLS if tools is None else tools
        consent = confirmations or Confirmations()
        self.tools: Mapping[str, Tool] = {each.name: BoundTool(each, shop, consent) for each in chosen}

    @property
    def names(self) -> tuple[str, ...]:
        """Tool names in order."""
        return tuple(self.tools)

    def get(self, name: str) -> Tool:
        """Return one tool; raises ToolRetry naming the closest when there is none of that name."""
        found = self.tools.get(name)
        if found is None:
            raise ToolRetry(f"unknown tool {name!r}. {did_you_mean(name, list(self.tools))}")
        return found

    def call(self, name: str, arguments: Mapping[str, Any] | None, context: ToolContext) -> ToolResult:
        """Run a tool.

        Raises:
            ToolRetry: The name or the arguments can be mended.
            ToolUnavailable: Not possible now.
        """
        return self.get(name).call(arguments or {}, context)

    def openai_tools(self, *, strict: bool = False) -> list[dict[str, Any]]:
        """Return the tools in the form of OpenAI's `tools`, for agents outside the shop.

        Args:
            strict: In the subset that OpenAI's structured outputs take, and marked so: every field required, null for
                what is left out, no maps with free keys.
        """
        return [openai_form(each, strict=strict) for each in self.tools.values()]

    def mcp_tools(self) -> list[dict[str, Any]]:
        """Return the tools in MCP's form, as its JSON."""
        return [mcp_form(each) for each in self.tools.values()]
