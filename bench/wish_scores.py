"""What an answer to a blind wish is worth: by the records that satisfy it, never by how it sounds.

The lists of satisfying records were made by hand, so a record on neither list may be a fair offer: precision is a lower
bound. It shares no code with the agent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import DataError
from eval.intervals import bootstrap_interval

Kind = Literal["find", "refine", "like", "compare", "question", "abstain"]
KINDS: tuple[Kind, ...] = ("find", "refine", "like", "compare", "question", "abstain")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Wish(BaseModel):
    """One frozen wish; `note` says to a reader what its author meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    turns: tuple[str, ...] = Field(min_length=1)
    kind: Kind
    satisfied_by: tuple[str, ...]
    """Item ids; none where the catalogue does not carry it."""

    answer: int | float | str | None
    """What a question is answered by: a count, a price, a name."""

    must_not: tuple[str, ...]
    """Item ids that come near and are wrong."""

    note: str


@dataclass(frozen=True, slots=True)
class Scored:
    """The last answer to one wish, judged.

    Attributes:
        right: Found: a satisfying record is among the first five, or stands first where two were compared. A question:
            the answer is said. Nothing carried: nothing is recommended, and that is said.
        first: Whether the first record satisfies it; None where none could.
        precision: Share of the shown records that satisfy it, 0 where nothing is shown; None where none could.
        all_satisfy: Whether something is shown, and all of it satisfies it; None where none could.
        near_miss: Whether a record that must not be shown is recommended; None where two were compared, which may stand
            side by side.
        ungrounded: What was said or shown in any turn that no record backs.
    """

    catalogue: str
    id: str
    kind: Kind
    right: bool
    first: bool | None
    precision: float | None
    all_satisfy: bool | None
    near_miss: bool | None
    outcome: str
    ungrounded: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def load_wishes(path: Path, ids: Mapping[str, str]) -> list[Wish]:
    """Read a file of wishes; `ids` says what the catalogue calls the records they name.

    Raises:
        DataError: When a line is no wish.
    """
    wishes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            wish = Wish.model_validate_json(line)
        except ValidationError as error:
            raise DataError(f"file {str(path)!r}, line {number}: {error.errors()[0]['msg']}") from error
        named = {
            name: tuple(ids.get(each, each) for each in getattr(wish, name)) for name in ("satisfied_by", "must_not")
        }
        wishes.append(wish.model_copy(update=named))
    return wishes


def score(catalogue: str, wish: Wish, turns: Sequence[Mapping[str, Any]], ungrounded: Sequence[str]) -> Scored:
    """Judge the last of `turns`, as `eval.agent.harness.Harness.conversation` gives them."""
    last = turns[-1]
    shown = [str(entry["item_id"]) for entry in last["recommendations"]]
    hits = [item_id in wish.satisfied_by for item_id in shown]
    searched = wish.kind in ("find", "refine", "like", "compare")
    rules: Mapping[Kind, Callable[[], bool]] = {
        "find": lambda: any(hits[:5]),
        "refine": lambda: any(hits[:5]),
        "like": lambda: any(hits[:5]),
        "compare": lambda: any(hits[:1]),
        "question": lambda: _answers(wish, last),
        "abstain": lambda: _abstains(last),
    }
    return Scored(
        catalogue=catalogue,
        id=wish.id,
        kind=wish.kind,
        right=rules[wish.kind](),
        first=any(hits[:1]) if searched else None,
        precision=(sum(hits) / len(hits) if hits else 0.0) if searched else None,
        all_satisfy=(bool(hits) and all(hits)) if searched else None,
        near_miss=None if wish.kind == "compare" else _recommends(last, wish.must_not),
        outcome=last["outcome"],
        ungrounded=tuple(ungrounded),
    )


def _recommends(last: Mapping[str, Any], item_ids: Sequence[str]) -> bool:
    return last["outcome"] == "recommended" and any(str(e["item_id"]) in item_ids for e in last["recommendations"])


def _abstains(last: Mapping[str, Any]) -> bool:
    """Nothing is recommended, and the shopper is told: a question back does not say that it is not carried."""
    return last["outcome"] in ("nothing", "nearest") or (last["outcome"] == "answered" and not last["recommendations"])


def _answers(wish: Wish, last: Mapping[str, Any]) -> bool:
    """A count is said in an answer; a price or a name is said, or stands on the first card."""
    shown = last["recommendations"]
    carded = bool(shown) and str(shown[0]["item_id"]) in wish.satisfied_by
    if wish.answer is None or (carded and not isinstance(wish.answer, int)):
        return carded
    text = last["text"]
    if isinstance(wish.answer, str):
        return _plain(wish.answer) in _plain(text)
    for entry in shown:
        text = text.replace(entry["title"], " ")
    numbers = {float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}
    words = {float(WORDS.index(each)) for each in re.findall(r"[a-z]+", text.lower()) if each in WORDS}
    return last["outcome"] == "answered" and float(wish.answer) in numbers | words


def _plain(text: str) -> str:
    """Return a title or a sentence without case, signs and the year in brackets."""
    return " ".join(re.findall(r"\w+", re.sub(r"\(\d{4}\)", " ", text).casefold()))


def table(scored: Sequence[Scored], top_n: int) -> str:
    """Return the Markdown table: each catalogue, each kind, and all together, with 95% intervals."""
    names = list(dict.fromkeys(each.catalogue for each in scored))
    groups = [(f"{n}, {k}", [s for s in scored if (s.catalogue, s.kind) == (n, k)]) for n in names for k in KINDS]
    groups += [(f"**{name}**", [each for each in scored if each.catalogue == name]) for name in names]
    if len(names) > 1:
        groups += [(f"all, {kind}", [each for each in scored if each.kind == kind]) for kind in KINDS]
        groups += [("**all**", list(scored))]
    head = ("wishes", "n", "right", f"first of {top_n} satisfies", "precision", "all shown satisfy", "near miss shown",
            "grounded")  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join(lines + [_row(name, each) for name, each in groups if each])


def _row(name: str, scored: Sequence[Scored]) -> str:
    precise = np.array([each.precision for each in scored if each.precision is not None])
    found = bootstrap_interval(precise, seed=0)
    cells = (
        name,
        str(len(scored)),
        share([each.right for each in scored]),
        share([each.first for each in scored if each.first is not None]),
        f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]" if len(precise) else "",
        share([each.all_satisfy for each in scored if each.all_satisfy is not None]),
        share([each.near_miss for each in scored if each.near_miss is not None]),
        share([not each.ungrounded for each in scored]),
    )
    return f"| {' | '.join(cells)} |"


def share(values: Sequence[bool]) -> str:
    """Return a share with its 95% interval by Wilson's method.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.

    Example:
        >>> share([True] * 8 + [False] * 2)
        '0.800 [0.490, 0.943]'
    """
    from scipy.stats import binomtest

    if not values:
        return ""
    interval = binomtest(sum(values), len(values)).proportion_ci(method="wilson")
    return f"{sum(values) / len(values):.3f} [{interval.low:.3f}, {interval.high:.3f}]"
