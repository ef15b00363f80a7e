"""Why an item is recommended: a short reason, and the evidence it was put together from.

Reasons are written here, from records, the pipeline's own account and the shopper's events; a model has no part in
them. Each states only what its evidence shows, and names as a cause only what `vitrine eval explain` finds to be one:
taken away, the item falls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from agent.explanation_found import found_by, ground_of, pictured, popular
from agent.explanation_fragments import Fragment, distinct, fresh, sentence
from agent.explanation_more import Usage, asked_kinds, further, kinds, usage_of
from agent.explanation_past import held_by, like_example
from agent.explanation_wish import asked_words, filtered, highest_price, limited, mentioned, seen, sized, wished
from agent.gate.grounds import Grounds, Record
from agent.signals import NOTHING, Signals, signals_of
from agent.trace import ToolRun
from catalog.nouns import Evidence

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

    def explain(
        self, item_ids: Sequence[str], run: ToolRun | None, signals: Mapping[str, Signals] | None = None
    ) -> dict[str, Explained]:
        """Return why each item stands in the answer; reasons of different items differ where their records do.

        Args:
            item_ids: Items, best first.
            run: The call that found them, None when they were found in an earlier turn.
            signals: What the pipeline says of each, by item id; None: as the trace of `run` has it.
        """
        if signals is None:
            signals = signals_of(run.trace) if run is not None else {}
        use, asked = usage_of(self.grounds.catalog), asked_words(self.grounds, run)
        limit, named, ground = highest_price(run), asked_kinds(run), list(ground_of(run))
        result: dict[str, Explained] = {}
        reasons: set[str] = set()
        themes: set[str] = set()
        for item_id in item_ids:
            record, mine = self.grounds.record(item_id), signals.get(item_id, NOTHING)
            main = list(self._main(record, run, mine, use, asked, limit))
            strong = list(fresh(main, themes))
            said = sentence(main)
            told = chain(kinds(record, named) if use.flat else (), further(record, said, flat=use.flat))
            # Most of what a record says besides is never reached, and making it takes most of the time.
            spare = chain(strong, told, (part for part in main if part not in strong))
            parts = list(islice(spare, _PARTS))
            while (reason := sentence(parts)) in reasons and (another := next(spare, None)) is not None:
                parts.append(another)
            reasons.add(reason)
            themes |= {part.theme for part in parts if part.theme is not None}
            behind = [*parts, *(part for part in main if part not in parts)]
            evidence = [each for part in behind for each in part.evidence]
            result[item_id] = Explained(reason, tuple(distinct([*evidence, *ground, *found_by(mine)])))
        return result

    def _main(
        self,
        record: Record,
        run: ToolRun | None,
        signals: Signals,
        use: Usage,
        asked: Sequence[str],
        limit: float | None,
    ) -> Iterator[Fragment]:
        """Yield what ties the item to this wish and this shopper, strongest first."""
        covered: set[str] = set()
        if asked:
            yield from wished(record, asked, covered, filtered(run))
        yield from sized(record, self.grounds.sizes)
        if limit is not None:
            yield from limited(self.grounds, record, limit)
        yield from pictured(signals)
        yield from like_example(self.grounds, record, signals, covered, use)
        yield from held_by(self.grounds, record, signals, covered, use)
        if asked:
            yield from seen(record, asked, covered)
            yield from mentioned(record, asked, covered)
        yield from popular(record, run, signals)
