from __future__ import annotations

import copy
import json
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from batch.local import LocalEngine
from captioning.speech.base import RATE, Floats
from captioning.speech.doubles import InventingModel
from captioning.speech.guards import GuardedTranscriber
from captioning.speech.job import (
    Listener,
    SpeechJobConfig,
    load_transcripts,
    plan_transcripts,
    transcribe_calls,
)
from captioning.speech.sounds import at_level, babble, coloured, silence
from catalog.columns import INTERACTIONS
from catalog.errors import ConfigError, NothingToDo
from catalog.media import fetched_path
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.spoken import with_spoken
from catalog.workspace import Workspace
from embedding.catalog_texts import CatalogTexts
from embedding.minilm import MiniLM
from embedding.reviews import ReviewConfig

QUICK = SpeechJobConfig(batch_size=2)


def write_wav(path: Path, samples: Floats) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())


def talk(seed: int) -> Floats:
    return at_level(babble(np.random.default_rng(seed), 2 * RATE), -22)


def log_of(rows: list[tuple[str, str | None, dict[str, str] | None]]) -> pl.DataFrame:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        [
            {
                "event_id": event_id,
                "user_id": "u",
                "item_id": "i",
                "timestamp": start + timedelta(hours=at),
                "kind": "complaint",
                "text": text,
                "context": None if context is None else json.dumps(context),
            }
            for at, (event_id, text, context) in enumerate(rows)
        ],
        schema=INTERACTIONS,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """Calls of every kind: two voices, one of them twice, silence, noise, a broken file, a lost file, no recording."""
    workspace = Workspace(tmp_path / "store")
    calls = workspace.root / "calls"
    calls.mkdir(parents=True)
    write_wav(calls / "a.wav", talk(0))
    write_wav(calls / "b.wav", talk(1))
    write_wav(calls / "silent.wav", silence(RATE))
    write_wav(calls / "noise.wav", at_level(coloured(0)(np.random.default_rng(0), 2 * RATE), -25))
    (calls / "broken.wav").write_bytes(b"RIFF nothing")
    rows = [
        ("c1", "It came late.", {"recording": "calls/a.wav", "agent": "7"}),
        ("c2", None, {"recording": "calls/b.wav"}),
        ("c3", None, {"recording": "calls/silent.wav"}),
        ("c4", None, {"recording": "calls/noise.wav"}),
        ("c5", None, {"recording": "calls/broken.wav"}),
        ("c6", None, {"recording": "calls/lost.wav"}),
        ("c7", None, {"recording": "calls/a.wav"}),
        ("v1", "a review", {"page": "3"}),
        ("v2", None, None),
    ]
    save_shop(workspace, ShopData.of("calls", [Item("i", title="Scarf")], log_of(rows)))
    return workspace


def transcriber(text: str = "ten of clubs") -> tuple[GuardedTranscriber, InventingModel]:
    model = InventingModel(text)
    return GuardedTranscriber(model, "test"), model


def test_every_call_ends_in_the_right_row_or_the_right_failure(shop: Workspace) -> None:
    hears, model = transcriber()
    report = transcribe_calls(shop, hears, engine=LocalEngine(), config=QUICK)
    assert (report.name, report.done, report.failed, report.failures) == ("transcripts/test", 5, 2, {"media": 2})
    found = load_transcripts(shop, "test")
    assert {event_id: (each.text, each.reason) for event_id, each in found.items()} == {
        "c1": ("ten of clubs", None),
        "c2": ("ten of clubs", None),
        "c3": (None, "silence"),
        "c4": (None, "noise"),
        "c7": ("ten of clubs", None),
    }
    assert len(model.calls) == 2  # one recording is transcribed once, however many events name it
    words = found["c1"].words
    assert [word.text for word in words] == ["ten", "of", "clubs"] and 0 <= words[0].start < words[-1].end <= 2
    assert (found["c1"].language, found["c1"].seconds) == ("en", 2.0)
    manifest = shop.manifest("transcripts/test")
    assert manifest is not None and manifest.meta["model"] == "inventing-double" and manifest.meta["recordings"] == 7
    failures = pl.read_parquet(shop.path("transcripts/test") / "failures.parquet")
    assert failures["event_id"].to_list() == ["c5", "c6"]


def test_what_is_done_is_not_done_again_and_other_settings_are(shop: Workspace) -> None:
    hears, _ = transcriber()
    transcribe_calls(shop, hears, engine=LocalEngine(), config=QUICK)
    again, model = transcriber()
    assert transcribe_calls(shop, again, engine=LocalEngine(), config=QUICK).reused == 5
    assert model.calls == []
    other, model = transcriber("seven of hearts")
    transcribe_calls(shop, other, engine=LocalEngine(), config=QUICK)
    assert len(model.calls) == 2 and load_transcripts(shop, "test")["c2"].text == "seven of hearts"


def test_a_plan_does_nothing(shop: Workspace) -> None:
    hears, model = transcriber()
    assert "5" in plan_transcripts(shop, hears, config=QUICK).text()
    assert model.calls == [] and not shop.has("transcripts/test")


def test_the_column_and_the_folder_can_be_named(shop: Workspace, tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    write_wav(tmp_path / "tapes" / "x.wav", talk(3))
    log = log_of([("e1", None, {"audio file": "x.wav"}), ("e2", None, {"audio file": ""})])
    save_shop(shop, ShopData.of("calls", [Item("i")], log))
    config = SpeechJobConfig(recording="audio file", folder=tmp_path / "tapes")
    transcribe_calls(shop, transcriber()[0], engine=LocalEngine(), config=config)
    assert load_transcripts(shop, "test")["e1"].text == "ten of clubs"
    with pytest.raises(NothingToDo, match="import calls with a column 'recording'"):
        transcribe_calls(shop, transcriber()[0], engine=LocalEngine())
    with pytest.raises(ConfigError, match="letters and digits"):
        transcribe_calls(shop, transcriber()[0], engine=LocalEngine(), config=SpeechJobConfig(recording="a']"))


def test_what_was_said_joins_what_was_written() -> None:
    log = log_of([("c1", "It came late.", None), ("c2", None, None), ("c3", "Fine.", None), ("c4", None, None)])
    said = pl.DataFrame({"event_id": ["c1", "c2", "c4"], "text": ["I want my money.", "Hello.", None]})
    joined = with_spoken(log, said)
    assert joined["text"].to_list() == ["It came late.\nI want my money.", "Hello.", "Fine.", None]
    assert joined.columns == log.columns and with_spoken(log, said[:0]).equals(log)


def test_the_steps_can_be_sent_to_another_process(tmp_path: Path) -> None:
    listener = copy.copy(Listener(tmp_path, transcriber()[0], QUICK))
    assert listener.transcriber.name == "test"


def test_what_was_said_becomes_part_of_the_item_text(shop: Workspace) -> None:
    transcribe_calls(shop, transcriber("It keeps me warm.")[0], engine=LocalEngine(), config=QUICK)
    reviews = ReviewConfig(kinds=("complaint",), transcripts="test")
    texts = CatalogTexts(shop, MiniLM(), ("title", "reviews"), None, reviews, 1_000, 200)
    (frame,) = texts.work("said").frames
    (parts,) = frame["parts"]
    assert "It keeps me warm." in json.loads(parts)["reviews"] and "It came late." in json.loads(parts)["reviews"]


def test_what_a_recording_s_url_keeps_secret_is_not_kept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    urls = [f"https://al:TOPSECRET@calls.example/{n}.wav?token=TOPSECRET" for n in (1, 2)]
    rows = [(f"c{at}", None, {"recording": url}) for at, url in enumerate(urls)]
    save_shop(workspace, ShopData.of("calls", [Item("i", title="Scarf")], log_of(rows)))
    target = fetched_path(urls[0], tmp_path)
    target.parent.mkdir(parents=True)
    write_wav(target, talk(0))
    report = transcribe_calls(workspace, transcriber()[0], engine=LocalEngine(), config=QUICK)
    assert (report.done, report.failed) == (1, 1) and "TOPSECRET" not in str(report)
    assert list(load_transcripts(workspace, "test")) == ["c0"]
    for file in ("transcripts.parquet", "failures.parquet"):
        text = str(pl.read_parquet(workspace.path("transcripts/test") / file).rows())
        assert "TOPSECRET" not in text and "https://***@calls.example/" in text
