"""Past messages as LlamaIndex carries them, to the byte what an LLM read before. Import this module late."""

from __future__ import annotations

import json
from collections.abc import Sequence

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from agent.sessions import Said, ToolRound


def messages_of(said: Said) -> list[ChatMessage]:
    """Return a past message, after what was asked of tools before it and what they answered."""
    messages = []
    for each in said.rounds:
        calls = [ToolCallBlock(tool_call_id=i, tool_name=name, tool_kwargs=given) for i, name, given in each.calls]
        text = [TextBlock(text=each.text)] if each.text else []
        messages.append(ChatMessage(role=MessageRole.ASSISTANT, blocks=[*text, *calls]))
        messages += [
            ChatMessage(role=MessageRole.TOOL, content=content, additional_kwargs={"tool_call_id": call_id})
            for call_id, content in each.answers
        ]
    return [*messages, ChatMessage(role=MessageRole(said.role), content=said.handled)]


def rounds_of(messages: Sequence[ChatMessage]) -> tuple[ToolRound, ...]:
    """Return what was asked of tools among the messages of one turn."""
    rounds: list[ToolRound] = []
    for message in messages:
        calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
        if calls:
            made = tuple((call.tool_call_id or "", call.tool_name, _text(call.tool_kwargs)) for call in calls)
            rounds.append(ToolRound(message.content or "", made, ()))
        elif message.role == MessageRole.TOOL and rounds:
            last = rounds[-1]
            answer = (str(message.additional_kwargs.get("tool_call_id", "")), message.content or "")
            rounds[-1] = ToolRound(last.text, last.calls, (*last.answers, answer))
    return tuple(rounds)


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
