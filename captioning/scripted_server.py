"""A tiny OpenAI-compatible vision server for tests: it sees a picture's mean colour, and misbehaves on request."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

from PIL import Image

from batch.scripted_http import ScriptedServer

PICTURE_TOKENS = 64
"""Tokens that a picture counts for in `usage`; a word counts for one."""


class VisionServer(ScriptedServer):
    """Serves `/v1/chat/completions`.

    Acts: an HTTP status, "broken" (cut JSON), "refuse", "refuse in JSON", "babble", "foreign" (another language),
    "echo" (of the question), "schema" (in place of an answer), "steered" (with characters that steer a terminal), "cut"
    (finish_reason length), "slow" (half a second late), "honest".
    """

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion."""
        if act == "slow":
            time.sleep(0.5)
        colours = ["#{:02x}{:02x}{:02x}".format(*colour) for _, colour in see(request)]
        honest = _form(f"A thing whose mean colour is {' then '.join(colours)}.", colours)
        schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
        content = {
            "broken": honest[:30],
            "refuse": "I'm sorry, but I can't help with that.",
            "refuse in JSON": _form("Es tut mir leid, ich kann dieses Bild nicht beschreiben.", []),
            "babble": _form("very nice and " * 60, []),
            "foreign": _form("Eine rote Tasse mit einem runden Henkel steht auf einem hellen Tisch.", ["rot"]),
            "echo": _form(_question(request), []),
            "schema": json.dumps(schema),
            "steered": _form("A red\x1b[31m mug\u202e with a\x07 handle\nand a lid.", ["r\x1b[0med"]),
        }.get(act, honest)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": "length" if act == "cut" else "stop",
        }
        read = PICTURE_TOKENS * len(colours) + len(_question(request).split())
        wrote = len(content.split())
        usage = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
        head = {"id": "x", "object": "chat.completion", "created": 0, "model": request["model"]}
        return {**head, "choices": [choice], "usage": usage}


def see(request: dict[str, Any]) -> list[tuple[tuple[int, int], tuple[int, int, int]]]:
    """Return size and mean colour of every picture in a chat request; a video is its frames."""
    seen = []
    for part in request["messages"][-1]["content"]:
        kind = part["type"]
        if kind not in ("image_url", "video_url"):
            continue
        for data in part[kind]["url"].split(",")[1:]:
            with Image.open(io.BytesIO(base64.b64decode(data))) as image:
                red, green, blue = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
                seen.append((image.size, (red, green, blue)))
    return seen


def _form(caption: str, colours: list[str]) -> str:
    return json.dumps(
        {
            "caption": caption, "category": "thing", "colours": colours, "material": None, "pattern": "solid",
            "style": None, "occasion": None, "text_seen": None,
        }
    )  # fmt: skip


def _question(request: dict[str, Any]) -> str:
    return str(next((part["text"] for part in reversed(request["messages"][-1]["content"]) if "text" in part), ""))
