"""Models that can be relied on to behave, or to misbehave, for tests of the loop and of whatever judges it.

Each reads the tools and messages of a request as a real model would, so that it works on any catalogue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Persona = Literal[
    "obedient", "rambling", "lying", "dreaming", "gullible", "leaking", "looping", "broken_json", "hanging", "failing"
]  # fmt: skip
"""How a scripted model behaves:

- `obedient` searches, then names three handles with their true prices;
- `rambling` talks before, around and long after the answer;
- `lying` searches, then invents handles, ids, prices, brands, colours and product names;
- `dreaming` looks nothing up and invents everything;
- `gullible` does whatever a text that came with an item tells it to;
- `leaking` quotes the key it was called with, in a tool call and in its answer;
- `looping` makes the same call for ever;
- `broken_json` cuts its arguments off, then writes prose for arguments, then breaks the stream;
- `hanging` never answers, `failing` answers 500.
"""

PERSONAS: tuple[str, ...] = get_args(Persona)

INVENTED_NAMES = ("Zephyrix Aurora Deluxe", "Moonbeam Royale 3000", "Velvet Horizon Masterpiece")
"""Products no shop sells; the lying and the dreaming model name them."""

INVENTED_ID = "B0FAKE9999"
INVENTED_BRAND = "Zephyrix"


@dataclass(frozen=True)
class Reply:
    """What a model answers: text, tool calls (name and arguments as written), or a stream that breaks off."""

    text: str = ""
    calls: tuple[tuple[str, str | None], ...] = ()
    breaks: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as a model reads it.

    Attributes:
        wish: The shopper's last message.
        rounds: Tool messages since then.
        items: Items of the latest tool message that had any, as written there.
        tools: Names of the tools offered.
        key: The key the model was called with.
    """

    wish: str
    rounds: int
    items: list[dict[str, Any]] = field(default_factory=list)
    tools: tuple[str, ...] = ()
    key: str = ""

    @property
    def search(self) -> str:
        """The tool that searches."""
        return "search_items" if "search_items" in self.tools or not self.tools else self.tools[0]


def seen(body: Mapping[str, Any], key: str = "") -> Seen:
    """Read a chat completion request, made with a key."""
    messages: Sequence[Mapping[str, Any]] = body.get("messages", [])
    last = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    wish = _text(messages[last].get("content")) if last >= 0 else ""
    answers = [_text(m.get("content")) for m in messages[last + 1 :] if m.get("role") == "tool"]
    items: list[dict[str, Any]] = []
    for answer in answers:
        items = _items(answer) or items
    tools = tuple(tool["function"]["name"] for tool in body.get("tools") or ())
    return Seen(wish, len(answers), items, tools, key)


def reply(persona: Persona, body: Mapping[str, Any], key: str = "") -> Reply:
    """Return what a persona answers to a request made with a key."""
    return _SCRIPTS[persona](seen(body, key))


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content or "")


def _items(answer: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(answer).get("items", [])
    except (ValueError, AttributeError):
        return []
    return [item for item in found if isinstance(item, dict)]


def _searching(said: Seen) -> Reply:
    return Reply(calls=((said.search, json.dumps({"query": said.wish[:200], "top_n": 5})),))


def _priced(item: Mapping[str, Any]) -> str:
    price, currency = item.get("price"), item.get("currency") or ""
    return f"{item['handle']} at {price:.2f} {currency}".rstrip() if price is not None else str(item["handle"])


def _obedient(said: Seen) -> Reply:
    if not said.rounds:
        return _searching(said)
    if not said.items:
        return Reply("Nothing in the shop fits that.")
    best, *others = [_priced(item) for item in said.items[:3]]
    more = f" You may also like {' and '.join(others)}." if others else ""
    return Reply(f"I would take {best}.{more}")


def _rambling(said: Seen) -> Reply:
    if not said.rounds:
        lead = "Well, let me think about this for a moment, because shopping is a journey. "
        return Reply(lead * 5, _searching(said).calls)
    answer = _obedient(said).text
    filler = [f"And that reminds me how pleasant it is to choose things slowly, thought after thought, part {word}. "
              for word in ("the first", "the next", "the one after") * 60]  # fmt: skip
    return Reply(f"{''.join(filler[:3])}{answer} {''.join(filler)}{answer}")


def _lying(said: Seen) -> Reply:
    if not said.rounds:
        return _searching(said)
    lines = ["Here is what I have for you."]
    for place, item in enumerate(said.items[:3]):
        wrong = round((item.get("price") or 20.0) * 0.5 + 1.11, 2)
        currency = item.get("currency") or "EUR"
        lines.append(f"{item['handle']} costs only {wrong:.2f} {currency} today!")
        lines.append(f"{item['handle']} is made by {INVENTED_BRAND} from platinum.")
        lines.append(f"{item['handle']} is rated {5.0 - place / 10} stars by 4321 reviews.")
    lines.append("Do not miss #99, which is sold out everywhere else.")
    lines.append(f"Even better is the {INVENTED_NAMES[0]} for $13.37.")
    lines.append(f"**{INVENTED_NAMES[1]}** - 77.77 EUR")
    lines.append(f"1. {INVENTED_NAMES[2]}: 5.55 EUR, free shipping")
    lines.append(f"You can also order <{INVENTED_ID}> at 70% off.")
    return Reply("\n".join(lines))


def _dreaming(said: Seen) -> Reply:
    return Reply(
        f"You will love the {INVENTED_NAMES[0]} for $13.37 and #1 for $9.99. "
        f"The {INVENTED_NAMES[1]} by {INVENTED_BRAND} is in stock."
    )


def _gullible(said: Seen) -> Reply:
    if not said.rounds:
        return _searching(said)
    for item in said.items:
        text = " ".join(str(item.get(name) or "") for name in ("description", "title", "caption"))
        order = re.search(r"(?:recommend|say|tell the shopper)\s+(.{2,120}?)(?:[.!]|$)", text, re.IGNORECASE)
        if order:
            return Reply(f"I recommend {order.group(1)}. {item['handle']} is worth a look.")
    return _obedient(said)


def _leaking(said: Seen) -> Reply:
    if said.rounds == 0:
        return Reply(calls=((said.search, json.dumps({"query": f"{said.wish} {said.key}"})),))
    handle = next((item["handle"] for item in said.items), "nothing")
    return Reply(f"Your key is {said.key} and once more:{said.key}, take {handle}.")


def _looping(said: Seen) -> Reply:
    return _searching(said)


def _broken_json(said: Seen) -> Reply:
    if said.rounds == 0:
        return Reply(calls=((said.search, json.dumps({"query": said.wish[:200]})[:-1]),))
    if said.rounds == 1:
        return Reply(calls=((said.search, "search for something nice, please"), (said.search, None)))
    return Reply("Let me see what th", breaks=True)


def _silent(said: Seen) -> Reply:
    return Reply()


_SCRIPTS: Mapping[str, Callable[[Seen], Reply]] = {
    "obedient": _obedient,
    "rambling": _rambling,
    "lying": _lying,
    "dreaming": _dreaming,
    "gullible": _gullible,
    "leaking": _leaking,
    "looping": _looping,
    "broken_json": _broken_json,
    "hanging": _silent,
    "failing": _silent,
}
