"""Stated counts within a price limit, checked against what the tools counted."""

from __future__ import annotations

from agent.gate.grounds import Grounds
from agent.gate.numbers import Fault
from agent.gate.references import MARK
from agent.gate.tallies import claims


def count_faults(text: str, grounds: Grounds, named: int) -> tuple[list[tuple[int, int]], list[Fault]]:
    """Return where a marked sentence states counts whose limits a tool counted within, and the counts that are wrong.

    A count that a tally is about must be its figure. Of any other, the number of items a list gave may be stated, or
    as many as the answer named (`named`); the shopper's own numbers are no source of a count.
    """
    settled: list[tuple[int, int]] = []
    faults: list[Fault] = []
    for claim in claims(text):
        if MARK.search(text[: claim.end]):
            continue
        stated = text[claim.at : claim.until]
        counted = [tally for tally in grounds.tallies if claim.about(tally, grounds)]
        if counted:
            settled.append((claim.start, claim.end))
            if not any(claim.borne_out(tally) for tally in counted):
                figures = {tally.count for tally in counted}
                truth = str(figures.pop() or "no") if len(figures) == 1 else None
                faults.append(Fault(claim.at, claim.until, f"count {stated!r} is not what was counted", truth))
        elif claim.count > named and claim.count not in grounds.listed:
            known = not grounds.tallies and claim.count in grounds.fact_numbers
            if not known:
                faults.append(Fault(claim.at, claim.until, f"count {stated!r} is of nothing that was counted"))
    return settled, faults
