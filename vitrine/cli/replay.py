"""`vitrine eval --replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.cli.output import say

if TYPE_CHECKING:
    from vitrine.settings import Settings


def replayed(settings: Settings, hours: float, json_path: Path | None) -> None:
    """Replay the log's last `hours`, print what adaptation adds and write the report."""
    from eval.replay import ReplayConfig
    from eval.replay_report import replay_text
    from eval.report_files import files_line
    from vitrine.cli.bar import progress
    from vitrine.replaying import replay_store

    made = replay_store(settings, ReplayConfig(hours=hours), also=json_path, progress=progress())
    say(replay_text(made.report))
    say(files_line(made.files))
