"""A second evaluation does not cost the first."""

from __future__ import annotations

import os
from pathlib import Path

from eval.earlier import keep_earlier


def test_a_report_is_kept_whole_under_its_own_names(tmp_path: Path) -> None:
    assert keep_earlier(tmp_path, "mmrec") is None
    for name in ("mmrec.json", "mmrec.md", "mmrec.npz", "mmrec.png", "mmrec-last.json", "replay.json"):
        (tmp_path / name).write_text(name)
    os.utime(tmp_path / "mmrec.json", (1_700_000_000, 1_700_000_000))
    kept = keep_earlier(tmp_path, "mmrec")
    assert kept == tmp_path / "earlier" / "2023-11-14T22-13-20" / "mmrec.json" and kept.read_text() == "mmrec.json"
    assert sorted(file.name for file in kept.parent.iterdir()) == ["mmrec.json", "mmrec.md", "mmrec.npz", "mmrec.png"]
    assert (tmp_path / "mmrec.json").is_file()  # until the next one is written, it stands where it stood


def test_a_report_of_several_protocols_keeps_the_files_of_each(tmp_path: Path) -> None:
    for name in ("mmrec-last.json", "mmrec-last-mmrec.npz", "mmrec-last-last.png", "mmrec-last-last-diagnosis.png"):
        (tmp_path / name).write_text(name)
    kept = keep_earlier(tmp_path, "mmrec-last", ("mmrec", "last"))
    assert kept is not None and len(list(kept.parent.iterdir())) == 4
