from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from captioning.speech.base import RATE, Transcript, Word
from captioning.speech.doubles import tiny_whisper
from captioning.speech.sounds import at_level, babble, silence
from catalog.workspace import Workspace
from vitrine.cli import main
from vitrine.doctor import examine
from vitrine.settings import load_settings
from vitrine.speech import transcript_lines
from vitrine.wiring import active_parts


def wav(path: Path, samples: np.ndarray) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return str(path)


def spoken() -> np.ndarray:
    return at_level(babble(np.random.default_rng(0), RATE), -22)


def test_without_a_model_every_door_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], [wav(tmp_path / "a.wav", spoken())]):
        with pytest.raises(SystemExit) as stopped:
            main(["transcribe", *arguments, "--store", str(tmp_path)])
        assert stopped.value.code == 2
        assert "no speech model is configured: set speech.transcriber" in capsys.readouterr().err
    settings = load_settings({"store": str(tmp_path)})
    assert active_parts(settings)["speech"].startswith("none: no speech model is configured")
    lost = load_settings({"store": str(tmp_path), "speech": {"transcriber": "whisper", "whisper": {"model": "nix.pt"}}})
    assert any(f.level == "bad" and "'nix.pt' is neither a file" in f.text for f in examine(lost))


def test_files_and_calls_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("whisper")
    checkpoint = tiny_whisper(tmp_path / "tiny.pt")
    store = tmp_path / "store"
    chosen = [
        *("--store", str(store), "--set", "speech.transcriber=whisper", "--set", f"speech.whisper.model={checkpoint}"),
        *("--set", "speech.whisper.max_tokens=12", "--set", "speech.guards.checks=report", "--language", "en"),
    ]
    said, quiet = wav(tmp_path / "said.wav", spoken()), wav(tmp_path / "quiet.wav", silence(RATE))
    with pytest.raises(SystemExit) as stopped:
        main(["transcribe", said, quiet, str(tmp_path / "lost.wav"), "--words", *chosen])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2 and "lost.wav" in err
    assert f"{said} [en, 1.0 s]: " in out and "doubt: " in out and f"{quiet}: nothing heard: silence" in out

    (tmp_path / "items.csv").write_text("item_id,title\ni,Scarf\n")
    (tmp_path / "calls.csv").write_text(
        f"event_id,user_id,item_id,timestamp,kind,recording\nc1,u,i,2026-01-01T00:00:00Z,complaint,{said}\n"
        f"c2,u,i,2026-01-02T00:00:00Z,praise,{quiet}\nv1,u,i,2026-01-03T00:00:00Z,click,\n"
    )
    tables = ["--items", str(tmp_path / "items.csv"), "--interactions", str(tmp_path / "calls.csv")]
    main(["import", "table", *tables, "--store", str(store)])
    main(["transcribe", "--dry-run", *chosen])
    main(["transcribe", *chosen])
    out = capsys.readouterr().out
    assert "transcripts/whisper: 2 done" in out and "words in 1 of 2 recordings, 1 silence" in out


def test_lines_of_a_transcript() -> None:
    path = Path("a.wav")
    found = Transcript("ten of clubs", "en", (Word("ten", 0.1, 0.4),), 1.5, None, 0.97)
    assert transcript_lines(path, found, words=True) == [
        "a.wav [en 97%, 1.5 s]: ten of clubs",
        "      0.10     0.40  ten",
    ]
    assert transcript_lines(path, Transcript(None, reason="music"), words=False) == ["a.wav: nothing heard: music"]


def test_a_checkpoint_is_looked_at_before_the_first_file(tmp_path: Path, run: Callable[..., Any]) -> None:
    pytest.importorskip("whisper")
    (tmp_path / "zero.pt").write_bytes(b"")
    quiet = wav(tmp_path / "quiet.wav", silence(RATE))
    chosen = ("--set", "speech.transcriber=whisper", "--set", f"speech.whisper.model={tmp_path / 'zero.pt'}")
    for files in ((quiet,), ()):
        ran = run("transcribe", *files, "--store", "s", *chosen)
        assert ran.code == 2 and "zero.pt' is no Whisper checkpoint" in ran.err and not ran.out


def test_the_name_of_a_file_is_one_line(tmp_path: Path, run: Callable[..., Any]) -> None:
    pytest.importorskip("whisper")
    chosen = ("--set", "speech.transcriber=whisper", "--set", f"speech.whisper.model={tiny_whisper(tmp_path / 't.pt')}")
    quiet = wav(tmp_path / "a\nb\x1b[31m.wav", silence(RATE))
    ran = run("transcribe", quiet, str(tmp_path / "c\nd.wav"), "--store", "s", *chosen)
    assert ran.code == 2
    assert [line.endswith("a b\\x1b[31m.wav: nothing heard: silence") for line in ran.out.splitlines()] == [True]
    assert len(ran.err.splitlines()) == 1 and ran.err.startswith("error: ")


def calls_table(folder: Path, recordings: dict[str, str]) -> tuple[str, ...]:
    """Tables of one item and a call each; return the options that import them."""
    folder.mkdir(exist_ok=True)
    (folder / "items.csv").write_text("item_id,title\ni,Scarf\n")
    rows = [f"{event},u,i,2026-01-01T00:00:00Z,complaint,{recording}" for event, recording in recordings.items()]
    (folder / "calls.csv").write_text("\n".join(["event_id,user_id,item_id,timestamp,kind,recording", *rows]) + "\n")
    return ("--items", str(folder / "items.csv"), "--interactions", str(folder / "calls.csv"))


def test_recordings_start_from_the_folder_of_their_table(tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "shop/calls").mkdir(parents=True)
    wav(tmp_path / "shop/calls/c1.wav", silence(RATE))
    tables = calls_table(tmp_path / "shop", {"c1": "calls/c1.wav", "c2": "calls/c2.wav", "c3": ""})
    ran = run("import", "table", *tables, "--store", "s")
    assert ran.code == 0
    assert "recordings of calls: 1 (1 more named and not there, the first: 'calls/c2.wav'; " in ran.out
    with Workspace("s").reading("catalog") as folder:
        log = pl.read_parquet(folder / "log.parquet")
    assert json.loads(log["context"][0]) == {"recording": str(tmp_path / "shop/calls/c1.wav")}
    ran = run("transcribe", "--dry-run", "--store", "s")  # no model: it counts all the same
    assert ran.code == 0 and "transcripts: 2 recordings, 1 unreadable" in ran.out
    assert "speech.job.folder names another folder" in ran.out and "no speech model is configured" in ran.out
    (tmp_path / "other/calls").mkdir(parents=True)
    wav(tmp_path / "other/calls/c2.wav", silence(RATE))
    ran = run("transcribe", "--dry-run", "--store", "s", "--set", f"speech.job.folder={tmp_path / 'other'}")
    assert "transcripts: 2 recordings\n" in ran.out


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path, run: Callable[..., Any]) -> None:
    pytest.importorskip("whisper")
    run("import", "table", *calls_table(tmp_path / "shop", {"c1": "calls/c1.wav"}), "--store", "s")
    model = tiny_whisper(tmp_path / "tiny.pt")
    ran = run(
        "transcribe", "--store", "s", "--set", "speech.transcriber=whisper", "--set", f"speech.whisper.model={model}"
    )
    assert "none of 1 recordings could be read: 1 media, the first: " in ran.line
    assert "'calls/c1.wav'" in ran.line and "speech.job.folder" in ran.line
