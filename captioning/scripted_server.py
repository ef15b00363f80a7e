"""A tiny OpenAI-compatible vision server for tests: it sees a picture's mean colour, and misbehaves on request."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

from PIL import Image

from batch.scripted_http import ScriptedServer


class VisionServer(ScriptedServer):
    """Serves `/v1/chat/completions`.

    Acts: an HTTP status, "broken" (cut JSON), "refuse", "babble", "cut" (finish_reason length), "slow"
    (half a second late), "honest".
    """

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion."""
        if act == "slow":
            time.sleep(0.5)
        colours = ["#{:02x}{:02x}{:02x}".format(*colour) for _, colour in see(request)]
        honest = json.dumps(
            {
                "caption": f"A thing whose mean colour is {' then '.join(colours)}.",
                "category": "thing", "colours": colours, "material": None, "pattern": "solid",
                "style": None, "occasion": None, "text_seen": None,
            }
        )  # fmt: skip
        content = {
            "broken": honest[:30],
            "refuse": "I'm sorry, but I can't help with that.",
            "babble": json.dumps({"caption": "very nice and " * 60}),
        }.get(act, honest)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": "length" if act == "cut" else "stop",
        }
        return {"id": "x", "object": "chat.completion", "created": 0, "model": request["model"], "choices": [choice]}


def see(request: dict[str, Any]) -> list[tuple[tuple[int, int], tuple[int, int, int]]]:
    """Return size and mean colour of every picture in a chat request."""
    seen = []
    for part in request["messages"][-1]["content"]:
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].split(",", 1)[1])
            with Image.open(io.BytesIO(data)) as image:
                red, green, blue = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
                seen.append((image.size, (red, green, blue)))
    return seen
