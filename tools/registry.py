"""The registry: every tool once, for the agent, REST and MCP alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from catalog.errors import ToolRetry, did_you_mean
from tools.arguments import canonical, validated
from tools.base import Access, Tool, ToolContext, ToolResult
from tools.schema import arguments_model, described, strict_schema
from tools.shop import Shop


@dataclass(frozen=True)
class Call:
    """What every tool function gets first, and no schema shows: the shop, and what the call is bound to."""

    shop: Shop
    context: ToolContext
    arguments: str = "{}"
    """The arguments as the caller wrote them, in canonical JSON."""

    def confirmed(self, arguments: str) -> bool:
        """Whether the shopper agreed to this write: to `arguments` (canonical), or to the call as it was written."""
        return arguments in self.context.confirmed or self.arguments in self.context.confirmed


@dataclass(frozen=True)
class ToolFunction:
    """A typed function with its schema, not yet bound to a shop."""

    function: Callable[..., ToolResult]
    access: Access

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


def tool(*, access: Access) -> Callable[[Callable[..., ToolResult]], ToolFunction]:
    """Make a function a tool; the first parameter is the `Call`, the others need a line under `Args`."""
    return lambda function: ToolFunction(function, access)


class BoundTool:
    """A tool of one shop; see `tools.base.Tool`."""

    def __init__(self, tool: ToolFunction, shop: Shop) -> None:
        self.name = tool.name
        self.description = tool.description
        self.access = tool.access
        self.parameters = tool.parameters
        self._tool = tool
        self._shop = shop

    def call(self, arguments: Mapping[str, Any] | None, context: ToolContext) -> ToolResult:
        """Validate and run; None counts as no arguments."""
        checked = validated(self._tool.model, self.parameters, arguments)
        given = {name: getattr(checked, name) for name in type(checked).model_fields}
        return self._tool.function(Call(self._shop, context, canonical(arguments)), **given)


class Registry:
    """The tools of one shop by name.

    Args:
        shop: What the tools read (and, for events, write).
        tools: Which tools; every one by default.
    """

    def __init__(self, shop: Shop, tools: Sequence[ToolFunction] | None = None) -> None:
        from tools.all_tools import TOOLS

        self.shop = shop
        chosen = TOOLS if tools is None else tools
        self.tools: Mapping[str, Tool] = {each.name: BoundTool(each, shop) for each in chosen}

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
        """Return the tools in the form of OpenAI's `tools`.

        Args:
            strict: Mark them `strict`, which makes vLLM hold a model to the schema. OpenAI's own service
                refuses strict schemas with free-form maps or optional fields, so it is off by default.
        """
        return [
            {
                "type": "function",
                "function": {
                    "name": each.name,
                    "description": each.description,
                    "parameters": each.parameters,
                    **({"strict": True} if strict else {}),
                },
            }
            for each in self.tools.values()
        ]
