"""Our tools as LlamaIndex sees them. Import this module late: it loads LlamaIndex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.tools import AsyncBaseTool, ToolMetadata, ToolOutput

from agent.tooling import TurnTools
from tools.base import Tool


class SchemaMetadata(ToolMetadata):
    """Metadata that hands out the tool's own JSON schema unchanged, or another one."""

    def __init__(self, tool: Tool, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description=tool.description, name=tool.name, fn_schema=None)
        self._parameters = dict(tool.parameters if parameters is None else parameters)

    def get_parameters_dict(self) -> dict[str, Any]:
        """Return the strict JSON schema of the arguments."""
        return dict(self._parameters)


class TurnTool(AsyncBaseTool):
    """One tool bound to one turn. What it raises is a bug: our two errors became messages before."""

    def __init__(self, tool: Tool, turn: TurnTools) -> None:
        self._metadata = SchemaMetadata(tool)
        self._turn = turn

    @property
    def metadata(self) -> ToolMetadata:
        """Name, description and schema."""
        return self._metadata

    def call(self, input: Any = None, /, **arguments: Any) -> ToolOutput:  # noqa: A002
        """Refuse: a turn is asynchronous."""
        raise NotImplementedError("tools of a turn are called asynchronously")

    async def acall(self, input: Any = None, /, **arguments: Any) -> ToolOutput:  # noqa: A002
        """Run the tool and return its message."""
        content = await self._turn.call(str(self._metadata.name), arguments)
        return ToolOutput(tool_name=str(self._metadata.name), content=content, raw_input=arguments, raw_output=None)


def turn_tools(tools: Mapping[str, Tool], turn: TurnTools) -> list[TurnTool]:
    """Return every tool of the registry, bound to one turn."""
    return [TurnTool(tool, turn) for tool in tools.values()]
