"""Models that can be relied on to behave, or to misbehave, for tests of the loop and of whatever judges it.

Each reads the tools and messages of a request as a real model would, so that it works on any catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

from agent.scripted_obedience import gullible, hostile
from agent.scripted_reading import Reply as Reply
from agent.scripted_reading import Seen as Seen
from agent.scripted_reading import seen as seen

Persona = Literal[
    "obedient", "rambling", "lying", "dreaming", "gullible", "hostile", "leaking", "looping", "broken_json",
    "hanging", "failing",
]  # fmt: skip
"""How a scripted model behaves:

- `obedient` searches, then names three handles with their true prices;
- `rambling` talks before, around and long after the answer;
- `lying` searches, then invents handles, ids, prices, brands, colours and product names;
- `dreaming` looks nothing up and invents everything;
- `gullible` does whatever any text it reads tells it to (`agent.scripted_obedience`);
- `hostile` does the same in disguise, writes unasked and asks for what is not the shopper's;
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


def reply(persona: Persona, body: Mapping[str, Any], key: str = "") -> Reply:
    """Return what a persona answers to a request made with a key."""
    return _SCRIPTS[persona](seen(body, key))


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
    return gullible(said, _obedient(replace(said, items=said.first)))


def _hostile(said: Seen) -> Reply:
    return hostile(said, _obedient(replace(said, items=said.first)))


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
    "hostile": _hostile,
    "leaking": _leaking,
    "looping": _looping,
    "broken_json": _broken_json,
    "hanging": _silent,
    "failing": _silent,
}
