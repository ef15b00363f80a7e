"""A spoken wish enters the same door: transcribed, shown, asked back about when unsure, put right by a word."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from starlette.testclient import TestClient

from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from api.audio import subtitles
from api.config import ApiConfig
from captioning.speech.base import RATE, Segment, Word
from captioning.speech.doubles import ScriptedModel, tiny_whisper
from captioning.speech.guards import GuardConfig, GuardedTranscriber
from captioning.speech.sounds import at_level, babble
from captioning.speech.whisper_transcriber import WhisperConfig, WhisperModel
from catalog.errors import ConfigError
from tools.crossmodal.config import CrossModalConfig
from tools.crossmodal.senses import Sense, Senses, missing
from tools.registry import Registry
from tools.shop import Shop


def recording(seconds: float = 2.0) -> bytes:
    """Return a WAV of something that counts as a voice."""
    samples = at_level(babble(np.random.default_rng(0), int(seconds * RATE)), -22)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return written.getvalue()


WAV = recording()
URL = f"data:audio/wav;base64,{base64.b64encode(WAV).decode()}"


def said(text: str, probability: float = 0.95, logprob: float = -0.2) -> list[Segment]:
    words = text.split()
    step = 2.0 / max(len(words), 1)
    placed = tuple(Word(word, n * step, (n + 1) * step, probability) for n, word in enumerate(words))
    return [Segment(text, 0.0, 2.0, placed, logprob=logprob)]


Opened = Callable[..., TestClient]


@pytest.fixture
def hearing(shop: Shop, make: Any) -> Opened:
    """Open the shop with a speech model that hears the given answers, one after the other."""

    def begin(*answers: Sequence[Segment], **limits: Any) -> TestClient:
        transcriber = GuardedTranscriber(ScriptedModel(answers), "scripted")
        return opened(shop, make, Senses(CrossModalConfig(**limits), transcriber=Sense(lambda: transcriber)))

    return begin


def opened(shop: Shop, make: Any, senses: Senses, config: ApiConfig | None = None) -> TestClient:
    heard = replace(shop, senses=senses)
    agent = Agent(heard, Registry(heard), Minds(ShopPlanner(heard.catalog, heard.embedder)))
    client: TestClient = make.client(make.service(heard, agent.registry, agent, config))
    return client


def transcribe(client: TestClient, data: bytes = WAV, **form: str) -> Any:
    return client.post("/v1/audio/transcriptions", files={"file": ("said.wav", data)}, data={"model": "any", **form})


def chat(client: TestClient, session: str = "s", **body: Any) -> Any:
    asked = {"message": "", "session_id": session, **body}
    return client.post("/v1/chat", json=asked, headers={"Accept": "application/json"}).json()


def events(client: TestClient, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    text = client.post("/v1/chat", json=body).text
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if block.startswith("event")]
    return [(head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data in blocks]


def test_words_come_in_every_form(hearing: Opened) -> None:
    client = hearing(said("a blue vase"))
    told = transcribe(client).json()
    assert (told["text"], told["confidence"], told["certain"], told["reason"]) == ("a blue vase", 0.95, True, None)
    assert transcribe(client, response_format="text", language="en", prompt="x").text == "a blue vase\n"
    whole = transcribe(client, response_format="verbose_json").json()
    assert [word["word"] for word in whole["words"]] == ["a", "blue", "vase"] and whole["duration"] == 2.0
    assert "-->" in transcribe(client, response_format="vtt").text


def test_the_official_client_is_served(shop: Shop, make: Any) -> None:
    transcriber = GuardedTranscriber(ScriptedModel([said("a blue vase")]), "scripted")
    service = make.service(replace(shop, senses=Senses(transcriber=Sense(lambda: transcriber))), Registry(shop))
    with make.running(service) as address, openai.OpenAI(base_url=f"{address}/v1", api_key="none") as client:
        assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAV)).text == "a blue vase"
        with pytest.raises(openai.UnprocessableEntityError, match="cannot be decoded"):
            client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no sound at all"))


def test_nothing_heard_is_said_with_its_reason(hearing: Opened) -> None:
    silence = transcribe(hearing(said("ignored")), recording(2.0)[:44] + bytes(64000)).json()
    assert (silence["text"], silence["certain"], silence["reason"]) == ("", False, "silence")
    doubtful = transcribe(hearing(said("a blue vase", logprob=-3.0))).json()
    assert (doubtful["text"], doubtful["reason"]) == ("", "uncertain")


@pytest.mark.parametrize(
    ("data", "status", "detail"),
    [(b"", 422, "empty"), (b"not a sound", 422, "cannot be decoded"), (recording(3.0), 422, "longer than 2.5 s")],
)
def test_what_is_no_sound_or_too_long_is_refused(hearing: Opened, data: bytes, status: int, detail: str) -> None:
    refused = transcribe(hearing(said("x"), max_voice_seconds=2.5), data)
    assert refused.status_code == status and detail in refused.json()["detail"] and refused.json()["field"] == "file"


def test_size_and_type_are_bounded(shop: Shop, make: Any) -> None:
    client = opened(shop, make, Senses(), ApiConfig(max_audio_body_bytes=2048))
    assert transcribe(client, bytes(200_000)).status_code == 413
    assert transcribe(client, bytes(4096)).status_code == 413
    assert client.post("/v1/audio/transcriptions", json={"file": "x"}).status_code == 415
    missing_file = client.post("/v1/audio/transcriptions", files={"other": ("a", b"x")})
    assert missing_file.status_code == 422 and missing_file.json()["field"] == "file"
    assert client.post("/v1/chat", files={"file": ("a", b"x")}).status_code == 415


def absent() -> Any:
    raise ConfigError("no speech model is configured: set speech.transcriber to 'whisper'")


@pytest.mark.parametrize("sense", [missing("no speech model is configured (speech.transcriber)"), Sense(absent)])
def test_without_a_speech_model_the_setting_is_named(shop: Shop, make: Any, sense: Sense[Any]) -> None:
    client = opened(shop, make, Senses(transcriber=sense))
    refused = transcribe(client)
    assert refused.status_code == 501 and "speech.transcriber" in refused.json()["error"]["message"]
    spoken = client.post("/v1/chat", json={"audio": URL})
    assert spoken.status_code == 501 and spoken.json()["field"] == "audio"
    assert client.post("/v1/chat", json={"message": "a vase"}).status_code == 200


def test_a_spoken_wish_is_answered_with_its_transcript_first(hearing: Opened) -> None:
    told = events(hearing(said("a blue vase under 30 euros")), audio=URL)
    assert told[0][0] == "transcript" and told[0][1]["text"] == "a blue vase under 30 euros" and told[0][1]["certain"]
    done = told[-1][1]
    assert [each["item_id"] for each in done["recommendations"]] == ["V01"]
    assert done["transcript"]["confidence"] == 0.95
    assert all(name != "transcript" for name, _ in events(hearing(said("x")), message="a vase"))


def test_words_typed_beside_a_voice_count_too(hearing: Opened) -> None:
    told = chat(hearing(said("under 30 euros")), audio=URL, message="a blue vase")
    assert [each["item_id"] for each in told["recommendations"]] == ["V01"]


def test_low_confidence_asks_back_and_a_yes_goes_on(hearing: Opened) -> None:
    client = hearing(said("a blue vase", probability=0.3))
    asked = chat(client, audio=URL)
    assert asked["text"] == "I heard “a blue vase”; is that right?" and asked["outcome"] == "question"
    assert not asked["recommendations"] and not asked["transcript"]["certain"]
    answered = chat(client, message="yes, please")
    assert answered["recommendations"][0]["item_id"] == "V01" and answered["transcript"] is None


@pytest.mark.parametrize("typed", ["no, I said a blue mug", "a blue mug", "No: a blue mug"])
def test_what_was_doubtful_is_put_right(hearing: Opened, typed: str) -> None:
    client = hearing(said("a blue vase", probability=0.3))
    chat(client, audio=URL)
    assert [each["item_id"] for each in chat(client, message=typed)["recommendations"]] == ["M01"]


def test_a_no_asks_to_say_it_again(hearing: Opened) -> None:
    client = hearing(said("a blue vase", probability=0.3), said("a blue mug"))
    chat(client, audio=URL)
    assert "say it again" in chat(client, message="no")["text"]
    assert [each["item_id"] for each in chat(client, audio=URL)["recommendations"]] == ["M01"]


def test_what_was_heard_wrongly_and_answered_is_taken_back(hearing: Opened) -> None:
    client = hearing(said("a red vase under 20"))
    chat(client, audio=URL)
    put_right = chat(client, message="no, I said a blue vase")
    assert {each["item_id"] for each in put_right["recommendations"]} == {"V01", "V06"}  # the price limit is gone too


def test_silence_in_the_chat_asks_to_say_it_again(hearing: Opened) -> None:
    url = f"data:audio/wav;base64,{base64.b64encode(WAV[:44] + bytes(64000)).decode()}"
    told = chat(hearing(said("x")), audio=url)
    assert told["outcome"] == "question" and "could not make out" in told["text"] and told["transcript"]["text"] is None


def test_an_unsure_yes_writes_nothing(hearing: Opened, shop: Shop) -> None:
    client = hearing(said("yes", probability=0.2))
    chat(client, message="a blue vase under 30", user_id="eva")
    assert "Shall I" in chat(client, message="I like the first one", user_id="eva")["text"]
    assert "is that right?" in chat(client, audio=URL, user_id="eva")["text"]
    assert [each.kind for each in shop.events.for_user("eva")] == []


def test_a_voice_that_is_none_is_refused_by_name(hearing: Opened) -> None:
    refused = hearing(said("x")).post("/v1/chat", json={"audio": "data:text/plain;base64,eA=="})
    assert refused.status_code == 422 and refused.json()["field"] == "audio"
    empty = hearing(said("x")).post("/v1/chat", json={})
    assert empty.status_code == 422 and empty.json()["field"] == "message"


def test_openai_messages_may_be_spoken(hearing: Opened) -> None:
    part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"}}
    body = {"messages": [{"role": "user", "content": [part]}]}
    told = hearing(said("a blue vase under 30 euros")).post("/v1/chat/completions", json=body).json()
    assert told["recommendations"][0]["item_id"] == "V01" and told["transcript"]["text"] == "a blue vase under 30 euros"


def test_a_real_whisper_of_random_weights_goes_the_whole_way(shop: Shop, make: Any, tmp_path: Path) -> None:
    model = WhisperModel(
        WhisperConfig(
            model=str(tiny_whisper(tmp_path / "tiny.pt")), max_tokens=16, vocabulary=("Orla lamp",), prompt="Calls."
        )
    )
    transcriber = GuardedTranscriber(model, "tiny", guards=GuardConfig(checks="report"))
    client = opened(shop, make, Senses(transcriber=Sense(lambda: transcriber)))
    told = transcribe(client).json()
    assert told["text"] and not told["certain"]  # gibberish, and it knows
    assert "is that right?" in chat(client, audio=URL)["text"]


def test_subtitles_part_where_they_get_long() -> None:
    words = [Word(f"w{n}", n * 1.0, n + 0.5) for n in range(8)]
    lines = subtitles(words, "", 8.0, "srt").splitlines()
    assert lines[:3] == ["1", "00:00:00,000 --> 00:00:05,500", "w0 w1 w2 w3 w4 w5"] and lines[6] == "w6 w7"
    assert subtitles([], "hello", 2.0, "vtt") == "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nhello\n"
    assert subtitles([], "", 2.0, "srt") == ""
