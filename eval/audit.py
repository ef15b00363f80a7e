"""The leakage audit that runs with every report: what it looked at, what it found, and what it cannot see.

It sees: rows in two parts; reviews of test rows in the item texts; train rows younger than the test rows they
are said to precede; aggregates that look past their moment; a modality that knows the pairs of the test part
better than pairs nobody hid from it; a space learned from takes whose own account names rows outside train. It
does not see a modality of unknown origin made from the whole log, train, valid and test alike: such a table matches
all three parts equally well, as honest content does. For those it says which tables were brought along undated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from catalog.items import Catalog
from catalog.splits import Split
from catalog.vectors import EmbeddingTable

Status = Literal["passed", "failed", "noted", "skipped"]
"""`noted`: nothing promised is broken, and a reader should know; `skipped`: too little data to tell."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `text` is a clause, `numbers` what it rests on."""

    check: str
    status: Status
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """Every finding of one report."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(finding.status != "failed" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return `{"passed": ..., "findings": [...]}` for the report."""
        return {"passed": self.passed, "findings": [asdict(finding) for finding in self.findings]}


def audit(
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    *,
    catalog: Catalog | None = None,
    log: pl.DataFrame | None = None,
    positives: tuple[str, ...] | None = None,
    undated: frozenset[str] = frozenset(),
    reviews: Mapping[str, pl.DataFrame] | None = None,
    learned: Mapping[str, pl.DataFrame] | None = None,
    intents: pl.DataFrame | None = None,
    seed: int = 0,
) -> Audit:
    """Look for the ways in which the test part can have reached the models of a report.

    Args:
        split: The parts of the report.
        modalities: The tables its models read, by role.
        catalog: With `log`, the shop whose dated aggregates are tried out.
        log: Every event, those at and after the cut included.
        positives: Kinds that count, as in `make_split`.
        undated: Roles whose tables were brought along, so that nobody can say what they were made from.
        reviews: Of each role whose item texts hold reviews, whose and from when: `item_id, user_id, timestamp`.
        learned: Of each role whose space was learned from what shoppers took, from which rows: the same columns.
        intents: Rows of `catalog.intents.INTENTS` that become features of the ranker, where there are any.
        seed: Of the sampled users and of the canary.
    """
    from eval.audit_canary import canary_finding
    from eval.audit_intents import intent_finding
    from eval.audit_learned import learned_finding
    from eval.audit_moments import moment_finding
    from eval.audit_parts import order_finding, overlap_finding
    from eval.audit_reviews import review_finding
    from eval.audit_vectors import vector_finding

    findings = [overlap_finding(split), order_finding(split)]
    if catalog is not None and log is not None:
        findings.append(moment_finding(split, catalog, log, positives, np.random.default_rng(seed)))
        if intents is not None:
            findings.append(intent_finding(split, catalog, log, intents))
    for role, table in modalities.items():
        findings.append(vector_finding(role, split, table, role in undated, np.random.default_rng(seed)))
    findings += [review_finding(role, split, sources) for role, sources in (reviews or {}).items()]
    findings += [learned_finding(role, split, rows) for role, rows in (learned or {}).items()]
    findings.append(canary_finding(split, seed))
    return Audit(tuple(findings))


def audit_line(report: Mapping[str, Any]) -> str:
    """Return the audit of a report (its `"audit"` value) as one line of Markdown, failures first."""
    order = {"failed": 0, "noted": 1, "passed": 2, "skipped": 3}
    findings = sorted(report["findings"], key=lambda finding: order[finding["status"]])
    verdict = "passed" if report["passed"] else "**FAILED**"
    return f"Leakage audit {verdict}: " + "; ".join(f"{f['check']} {f['status']}: {f['text']}" for f in findings) + "."


def audit_summary(report: Mapping[str, Any]) -> str:
    """Return the audit in brief: what failed in full, the rest by name."""
    failed = [finding for finding in report["findings"] if finding["status"] == "failed"]
    parts = [f"{finding['check']} failed: {finding['text']}" for finding in failed]
    for status in ("noted", "passed", "skipped"):
        names = [finding["check"] for finding in report["findings"] if finding["status"] == status]
        parts += [f"{', '.join(names)} {status}"] if names else []
    return (
        f"Leakage audit {'passed' if report['passed'] else 'FAILED'}: {'; '.join(parts)}. The report says of each why."
    )
