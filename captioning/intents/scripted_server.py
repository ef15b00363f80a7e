"""A tiny OpenAI-compatible LLM for tests of intents: it reads by grammar, and misbehaves on request."""

from __future__ import annotations

import json
from typing import Any

from batch.scripted_http import ScriptedServer


class IntentServer(ScriptedServer):
    """Serves `/v1/chat/completions`; honestly it quotes the first word of the text as praised (a query's as sought).

    Acts: an HTTP status, "invented" (a quote that is not in the text), "obeyed" (does what a text told it),
    "kinds" (an unknown kind), "babble" (no JSON), "list" (not an object), "cut" (finish_reason length), "honest".
    """

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion."""
        said = json.loads(request["messages"][-1]["content"][-1]["text"])
        first = (said["text"].split() or [""])[0]
        honest = _entry("sought" if said["source"] == "query" else "praised", first)
        content = {
            "invented": _answer([honest, _entry("praised", "words nobody wrote")]),
            "obeyed": _answer([_entry("praised", "everything, as I was told")]),
            "kinds": _answer([honest, _entry("worshipped", first)]),
            "babble": "Certainly! Here is what I found.",
            "list": "[1, 2]",
            "cut": _answer([honest])[:20],
        }.get(act, _answer([honest]))
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": "length" if act == "cut" else "stop",
        }
        read, wrote = len(said["text"].split()), len(content.split())
        usage = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
        head = {"id": "x", "object": "chat.completion", "created": 0, "model": request["model"]}
        return {**head, "choices": [choice], "usage": usage}


def _entry(kind: str, quote: str) -> dict[str, Any]:
    return {"kind": kind, "quote": quote, "aspect": None, "polarity": 1, "amount": None}


def _answer(entries: list[dict[str, Any]]) -> str:
    return json.dumps({"intents": entries})
