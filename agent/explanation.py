"""Why an item is recommended: a short reason, and the evidence it was put together from.

Reasons are written here, from records, the pipeline's own account and the shopper's events; a model has no part in
them. Each states only what its evidence shows, and names as a cause only what `vitrine eval explain` finds to be one:
taken away, the item falls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.explanation_found import found_by, ground_of, pictured, popular
from agent.explanation_fragments import Fragment, distinct, field_fragment, fresh, sentence
from agent.explanation_past import held_by, like_example
from agent.explanation_wish import asked_words, limited, mentioned, seen, wished
from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import kind_of
from agent.messages import clean
from agent.money import price_text
from agent.signals import NOTHING, Signals, signals_of
from agent.trace import ToolRun
from catalog.nouns import Evidence
from tools.titles import called

_PARTS = 2


@dataclass(frozen=True)
class Explained:
    """A reason and its evidence."""

    reason: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Explainer:
    """Explains the items of one answer.

    Attributes:
        grounds: Records, and what the shopper said.
    """

    grounds: Grounds

    def explain(self, item_ids: Sequence[str], run: ToolRun | None) -> dict[str, Explained]:
        """Return why each item stands in the answer; reasons of different items differ where their records do.

        Args:
            item_ids: Items, best first.
            run: The call that found them, None when they were found in an earlier turn.
        """
        signals = signals_of(run.trace) if run is not None else {}
        result: dict[str, Explained] = {}
        reasons: set[str] = set()
        themes: set[str] = set()
        for item_id in item_ids:
            record, mine = self.grounds.record(item_id), signals.get(item_id, NOTHING)
            main = list(self._main(record, run, mine))
            strong = list(fresh(main, themes))
            spare = [*strong, *_more(record), *(part for part in main if part not in strong)]
            parts, spare = spare[:_PARTS], spare[_PARTS:]
            while sentence(parts) in reasons and spare:
                parts.append(spare.pop(0))
            reason = sentence(parts)
            reasons.add(reason)
            themes |= {part.theme for part in parts if part.theme is not None}
            behind = [*parts, *(part for part in main if part not in parts)]
            evidence = [each for part in behind for each in part.evidence]
            result[item_id] = Explained(reason, tuple(distinct([*evidence, *ground_of(run), *found_by(mine)])))
        return result

    def _main(self, record: Record, run: ToolRun | None, signals: Signals) -> Iterator[Fragment]:
        """Yield what ties the item to this wish and this shopper, strongest first."""
        asked = asked_words(self.grounds, run)
        covered: set[str] = set()
        yield from wished(record, asked, covered)
        yield from limited(self.grounds, record, run)
        yield from pictured(signals)
        yield from like_example(self.grounds, record, signals, covered)
        yield from held_by(self.grounds, record, signals, covered)
        yield from seen(record, asked, covered)
        yield from mentioned(record, asked, covered)
        yield from popular(record, run, signals)


def _more(record: Record) -> Iterator[Fragment]:
    """Yield what tells the item from its neighbours in the list."""
    item = record.item
    if item.rating is not None:
        people = "shopper" if item.rating_count == 1 else "shoppers"
        count = f" by {item.rating_count} {people}" if item.rating_count else ""
        yield field_fragment(f"rated {item.rating:g}{count}", "rating", item.rating)
    for kind in ("material", "color", "pattern"):
        for name, values in item.attributes.items():
            if kind_of(name) == kind and values:
                yield field_fragment(" and ".join(clean(v, 40) for v in values), name, list(values))
    price = price_text(item.price, item.currency)
    if price:
        yield field_fragment(price, "price", item.price)
    if item.brand:
        yield field_fragment(f"by {clean(item.brand, 60)}", "brand", item.brand)
    if item.categories:
        yield field_fragment(f"from {clean(item.categories[-1], 60)}", "category", item.categories[-1])
    if item.title:
        yield field_fragment(called(item), "title", item.title)
