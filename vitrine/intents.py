"""Intents of a store: what its shoppers praise, complain of, return and seek."""

from __future__ import annotations

from collections import Counter

import polars as pl

from captioning.intents.base import IntentExtractor
from captioning.intents.job import extract_intents, load_intents, plan_intents, refused_intents
from catalog.errors import ConfigError, DataError
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs import WHOLE, Scope, failure_lines, job_text
from vitrine.settings import Settings
from vitrine.wiring import active_captions, make_engine


def make_intent_extractor(
    settings: Settings, progress: Progress = SILENT, *, again: bool = False
) -> tuple[IntentExtractor, list[str]]:
    """Return the extractor the settings choose, trained where it learns from the shop, and a line about that.

    Raises:
        ConfigError: When it needs a setting that is missing.
        NothingToDo: When nobody wrote or said anything.
    """
    chosen = settings.intents
    if chosen.extractor == "openai":
        if chosen.openai is None:
            raise ConfigError(
                "intents.extractor is 'openai' and intents.openai is missing; its base_url and model would be valid"
            )
        from captioning.intents.llm import LlmIntents

        return LlmIntents(chosen.openai), []
    from captioning.intents.training_job import trained_intents

    workspace = Workspace(settings.store)
    captions = active_captions(settings, workspace)
    ready = trained_intents(
        workspace, chosen.training, captions=captions, transcripts=chosen.transcripts, again=again, progress=progress
    )
    return ready.extractor, [ready.line]


def read_store_intents(
    settings: Settings, progress: Progress = SILENT, scope: Scope = WHOLE, *, again: bool = False
) -> list[str]:
    """Read the intents of every text of the store's log and say what was found, or what would be done.

    Args:
        settings: Say who reads.
        progress: Told of every text.
        scope: How much of it is done now.
        again: Train the extractor of the shop even where nothing has changed.

    Raises:
        ConfigError: When the extractor needs a setting that is missing.
        DataError: When not one text could be read; the text gives the reasons.
        NothingToDo: When nobody wrote or said anything.
        JobPaused: When a signal stopped it; what was finished is kept.
    """
    workspace, chosen = Workspace(settings.store), settings.intents
    extractor, lines = make_intent_extractor(settings, progress, again=again)
    if scope.dry_run:
        plan = plan_intents(
            workspace, extractor, transcripts=chosen.transcripts, config=chosen.job, limit=scope.limit,
            retry_all=scope.retry_all,
        )  # fmt: skip
        return [*lines, plan.text()]
    report = extract_intents(
        workspace, extractor, engine=make_engine(settings), transcripts=chosen.transcripts, config=chosen.job,
        progress=progress, limit=scope.limit, retry_all=scope.retry_all,
    )  # fmt: skip
    if report.failed and not report.done + report.reused:
        reasons = "; ".join(failure_lines(report, workspace))
        raise DataError(f"{report.name}: none of {report.failed:,} texts could be read: {reasons}")
    lines.append(job_text(report, workspace))
    found = load_intents(workspace, extractor.name)
    kinds = Counter(dict(found.group_by("kind").agg(pl.len()).iter_rows())).most_common()
    told = ", ".join(
        f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(kinds, key=lambda k: (-k[1], k[0]))
    )
    lines.append(f"  {told or 'no intent'}, by {found['user_id'].n_unique():,} shoppers")
    if refused := refused_intents(workspace, extractor.name):
        lines.append(f"  refused: {', '.join(f'{count:,} {reason}' for reason, count in refused.items())}")
    return lines
