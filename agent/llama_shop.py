"""The shop for a LlamaIndex program that is not ours: a retriever and a tool spec. Import late: it loads LlamaIndex."""

from __future__ import annotations

import asyncio
import functools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool, ToolMetadata, ToolOutput
from llama_index.core.tools.tool_spec.base import SPEC_FUNCTION_TYPE, BaseToolSpec

from agent.llama_tools import SchemaMetadata
from catalog.errors import ToolError
from tools.base import Shopper, Tool, ToolContext, ToolResult
from tools.limits import DEFAULT_TOP_N, MAX_TEXT
from tools.outward import CONFIRMATION, answer_json, call_from_outside, outward_parameters, refusal
from tools.records import full_record
from tools.registry import Registry

Confirm = Callable[[str], bool]


class ShopRetriever(BaseRetriever):
    """Finds items of the shop as nodes, for any query engine or chat engine.

    A node's id is the item's, its text the record in words, its metadata the record itself.

    Args:
        registry: The tools of an open shop.
        top_n: Most nodes.
        filters: What every item must satisfy, as `search_items` takes it.
        shopper: For whom; what is known of them may order equals.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        top_n: int = DEFAULT_TOP_N,
        filters: Mapping[str, Any] | None = None,
        shopper: Shopper | None = None,
    ) -> None:
        super().__init__()
        self._registry = registry
        self._asked = {"top_n": top_n, "filters": dict(filters or {})}
        self._shopper = shopper or Shopper()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Search for the query's first thousand characters; raises ToolRetry when the filters can be mended."""
        arguments = {**self._asked, "query": query_bundle.query_str[:MAX_TEXT]}
        shop = self._registry.shop
        found = self._registry.call("search_items", arguments, _context(self._shopper))
        if found.facts.get("nearest") and found.facts.get("blocking"):
            return []  # what breaks a filter is no answer to a program that reads no sentence
        nodes = []
        for candidate in found.candidates:
            fields = full_record(shop, shop.catalog[candidate.item_id])
            nodes.append(NodeWithScore(node=_node(candidate.item_id, fields), score=candidate.score))
        return nodes

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ShopToolSpec(BaseToolSpec):
    """Every tool of the shop for a LlamaIndex agent: `FunctionAgent(tools=ShopToolSpec(registry).to_tool_list())`.

    Args:
        registry: The tools of an open shop.
        shopper: For whom everything is done; a guest of a visit of its own by default.
        confirm: Asks the person before the program whether to do what the question says. Without it a tool that
            writes answers with the question and a token, which the program must bring back.
    """

    def __init__(self, registry: Registry, shopper: Shopper | None = None, confirm: Confirm | None = None) -> None:
        self._registry = registry
        self._shopper = shopper or Shopper(session_id=uuid.uuid4().hex)
        self._confirm = confirm
        self.spec_functions = list(registry.names)

    def to_tool_list(
        self,
        spec_functions: list[SPEC_FUNCTION_TYPE] | None = None,
        func_to_metadata_mapping: dict[str, ToolMetadata] | None = None,
    ) -> list[FunctionTool]:
        """Return the tools named in `spec_functions`, or all; raises ToolRetry for an unknown name."""
        names = [each if isinstance(each, str) else each[0] for each in spec_functions or self.spec_functions]
        chosen = func_to_metadata_mapping or {}
        return [self._made(self._registry.get(name), chosen.get(name)) for name in names]

    def _made(self, tool: Tool, metadata: ToolMetadata | None) -> FunctionTool:
        def call(**arguments: Any) -> ToolOutput:
            return self._call(tool, arguments)

        async def acall(**arguments: Any) -> ToolOutput:
            return await asyncio.to_thread(self._call, tool, arguments)

        async def unchanged(output: ToolOutput) -> ToolOutput:
            return output

        return FunctionTool.from_defaults(
            fn=call,
            async_fn=acall,
            # The callback alone may say that an output is an error.
            callback=lambda output: output,
            async_callback=unchanged,
            tool_metadata=metadata or SchemaMetadata(tool, outward_parameters(tool)),
        )

    def _call(self, tool: Tool, arguments: Mapping[str, Any]) -> ToolOutput:
        told = functools.partial(ToolOutput, tool_name=tool.name, raw_input=dict(arguments))
        try:
            result = self._answer(tool, arguments)
        except ToolError as error:
            return told(content=refusal(error), raw_output=error, is_error=True)
        answer = answer_json(result, self._registry.shop)
        return told(content=json.dumps(answer, ensure_ascii=False), raw_output=answer)

    def _answer(self, tool: Tool, arguments: Mapping[str, Any]) -> ToolResult:
        context = _context(self._shopper)
        if self._confirm is None or tool.access == "read":
            return call_from_outside(tool, arguments, context)
        # Where the program asks the person itself, no token that a model brings is of any worth.
        given = {name: value for name, value in arguments.items() if name != CONFIRMATION}
        result = call_from_outside(tool, given, context)
        question = result.facts["needs_confirmation"]
        if not self._confirm(question["text"]):
            return ToolResult("The shopper did not agree, so nothing was written.")
        return call_from_outside(tool, given, replace(context, confirmation=question[CONFIRMATION]))


def _context(shopper: Shopper) -> ToolContext:
    return ToolContext(shopper, datetime.now(UTC), uuid.uuid4().hex)


def _node(item_id: str, fields: Mapping[str, Any]) -> TextNode:
    said = [f"{name}: {_in_words(value)}" for name, value in fields.items() if name not in {"item_id", "url"}]
    # The text holds every field, so that no field is fed to an embedder or a model twice.
    kept = list(fields)
    return TextNode(
        id_=item_id,
        text="\n".join(said),
        metadata=dict(fields),
        excluded_embed_metadata_keys=kept,
        excluded_llm_metadata_keys=kept,
    )


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_in_words(inner)}" for name, inner in value.items())
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
