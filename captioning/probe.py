"""Proof that a model sees: it is shown what it cannot guess, and a wrong answer stops the job.

A caption job over millions of pictures is no place to learn that a chat template dropped the pictures. Before its
first caption every model reads three random words from a picture, names the colours of two clips in their order, and
fills in a form by its JSON schema.

Nothing of a probe is remembered: it costs three short questions beside a run of hours, and a memory would have to
notice every restart of a server with other weights, another template or other limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Literal, Protocol, runtime_checkable

from captioning.odd_form import INSTRUCTION, draw_form
from captioning.probe_pictures import COLOURS, draw_change, draw_words
from captioning.vision import Answer, Ask, ChatVision
from catalog.errors import ServiceError
from catalog.findings import Finding
from catalog.plain_text import one_line

Check = Literal["pictures", "frames", "schema"]
CHECKS: tuple[Check, ...] = ("pictures", "frames", "schema")

TRIES = 2
"""Drawn anew: one slip of a good model stops nothing, and chance stays below one in four hundred for the clips."""
MAX_TOKENS = 400
"""As much as a caption may take."""
SHOWN_CHARS = 100

SYSTEM = "You look at what you are shown and answer exactly what is asked."
READ = "Read the three words in this picture. Answer with these three words alone, from top to bottom."
NAME = (
    f"This clip is all of one colour first and all of another colour then. Of {', '.join(COLOURS)}: which colour comes "
    "first, and which second? Answer with the two colour names alone, in the order of time."
)

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"media_io_kwargs|trust-request-mm-kwargs",
        "start the server with --trust-request-mm-kwargs, or let the frames be pictures (captions.openai.clips = "
        "'images')",
    ),
    (r"[Aa]t most \d+|limit.mm", "raise the server's --limit-mm-per-prompt"),
    (r"context length|max_model_len|max.model.len|too long|longer than", "raise the server's --max-model-len"),
    (r"not a multimodal|multimodal|image_url|image input|does not support image", "serve a model that takes pictures"),
)
_LONG = r"(?m)^\s*<think>|^cut off"
"""An answer that thinks aloud, or ran past the bound."""
_SHORTER = {
    True: "serve an Instruct model, or keep the thinking apart with --reasoning-parser",
    False: "load an Instruct model, which answers at once; a model that thinks or does not stop is no help here",
}
"""What helps then: behind a server, and in this process."""
_HELPS: dict[Check, str] = {
    "pictures": "the model did not see the picture: check that it is a vision model with trained weights, that its own "
    "chat template is used (no --chat-template of another model) and that nothing switches pictures off "
    "(--language-model-only, a limit of 0 images)",
    "frames": "the model did not see the frames in their order: let it have more than one picture a request "
    "(--limit-mm-per-prompt, max_frames) and see that nothing between reorders them, or leave videos out "
    "(captions.job.videos_per_item = 0)",
    "schema": "the server ignores the JSON schema: it must honour response_format json_schema (vLLM does by itself), "
    "and a thinking model needs --reasoning-parser",
}
_HELPS_HERE: dict[Check, str] = {
    "schema": "the model does not keep to the JSON form it is told: load an Instruct model, of trained weights",
}


@runtime_checkable
class Listing(Protocol):
    """A vision that can say which models stand behind it."""

    def served_models(self) -> Sequence[str] | None:
        """Return the names the server lists, None where it lists none.

        Raises:
            ServiceError: When it cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class _Trial:
    """Questions of one check, what they showed, and who judges the contents of their answers."""

    asks: tuple[Ask, ...]
    told: str
    fault: Callable[[Sequence[str]], str | None]


def examine(vision: ChatVision, checks: Sequence[Check] = CHECKS, rng: Random | None = None) -> list[Finding]:
    """Return one finding a check, `bad` where the model answered wrongly `TRIES` times.

    Args:
        vision: Who is asked.
        checks: What is asked for; what a job does not need is not.
        rng: Draws what is shown. None: by the system's own randomness, as a real run should.

    Raises:
        ServiceError: When the model cannot be asked at all.
    """
    rng = rng or SystemRandom()
    if (swapped := _swapped(vision)) is not None:
        return [Finding("bad", "model", swapped)]
    served = isinstance(vision, Listing)
    faults: dict[Check, str | None] = dict.fromkeys(checks, "")
    told: dict[Check, str] = {}
    for _ in range(TRIES):
        trials = {check: _DRAW[check](rng) for check, fault in faults.items() if fault is not None}
        answers = iter(vision.answer([ask for trial in trials.values() for ask in trial.asks]) if trials else ())
        for check, trial in trials.items():
            told[check] = trial.told
            faults[check] = _judge(check, trial, [next(answers) for _ in trial.asks], served)
    return [
        Finding("ok", check, f"shown {told[check]}: right") if fault is None else Finding("bad", check, fault)
        for check, fault in faults.items()
    ]


def demand(findings: Sequence[Finding], model: str) -> None:
    """Raise the first bad finding.

    Raises:
        ServiceError: Names the model, what was shown, what was answered and what would help.
    """
    for finding in findings:
        if finding.level == "bad":
            raise ServiceError(f"the model {model!r} failed the probe {finding.subject!r}: {finding.text}")


def _swapped(vision: ChatVision) -> str | None:
    """Return that the server does not list the model; some servers answer to any name with whatever they hold."""
    served = vision.served_models() if isinstance(vision, Listing) else None
    if served is None or vision.model in served:
        return None
    return f"the server serves {', '.join(served) or 'nothing'}, not {vision.model!r}"


def _pictures(rng: Random) -> _Trial:
    card = draw_words(rng)

    def fault(contents: Sequence[str]) -> str | None:
        read = re.findall(r"[A-Z]+", contents[0].upper())
        width = len(card.words)
        # A reply of many words could hold any three of them.
        right = len(read) <= 4 * width and any(
            tuple(read[at : at + width]) == card.words for at in range(len(read) - width + 1)
        )
        return None if right else "these are other words"

    ask = Ask(system=SYSTEM, instruction=READ, pictures=(card.picture,), max_tokens=MAX_TOKENS)
    return _Trial((ask,), card.told, fault)


def _frames(rng: Random) -> _Trial:
    changes = [draw_change(rng), draw_change(rng)]
    while changes[1].colours == changes[0].colours:
        changes[1] = draw_change(rng)

    def fault(contents: Sequence[str]) -> str | None:
        for change, content in zip(changes, contents, strict=True):
            named = [word for word in re.findall(r"[a-z]+", content.lower()) if word in COLOURS]
            if named == list(reversed(change.colours)):
                return "the order is turned round"
            if len(set(named)) == 1 and named[0] in change.colours:
                return "only one of the two colours was seen"
            if named != list(change.colours):
                return "these are other colours"
        return None

    asks = tuple(Ask(system=SYSTEM, instruction=NAME, clip=change.clip, max_tokens=MAX_TOKENS) for change in changes)
    return _Trial(asks, "; ".join(change.told for change in changes), fault)


def _schema(rng: Random) -> _Trial:
    form = draw_form(rng)
    ask = Ask(system=SYSTEM, instruction=INSTRUCTION, schema=form.schema, max_tokens=MAX_TOKENS)
    return _Trial((ask,), f"a form ({form.told})", lambda contents: form.fault(contents[0]))


_DRAW: dict[Check, Callable[[Random], _Trial]] = {"pictures": _pictures, "frames": _frames, "schema": _schema}


def _judge(check: Check, trial: _Trial, answers: Sequence[Answer], served: bool) -> str | None:
    """Return None when the answers are right, else the whole line; `served` says that a server answered."""
    said = [answer.content or "" for answer in answers]
    failures = [
        answer.failure or f"cut off at {MAX_TOKENS} tokens" for answer in answers if answer.failure or answer.cut
    ]
    fault = failures[0][:300] if failures else trial.fault(said)
    if fault is None:
        return None
    answered = "; ".join(repr(_short(text)) for text in said)
    evidence = "\n".join([*failures, *said])
    hints = (*_HINTS, (_LONG, _SHORTER[served]))
    otherwise = _HELPS[check] if served else _HELPS_HERE.get(check, _HELPS[check])
    hint = next((hint for pattern, hint in hints if re.search(pattern, evidence)), otherwise)
    return one_line(f"shown {trial.told}, answered {answered} ({fault}): {hint}")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_CHARS else flat[: SHOWN_CHARS - 1] + "…"
