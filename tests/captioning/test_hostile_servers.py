"""A caption server that answers anything at all costs its pictures, never the job."""

import gzip
import json
import threading
import time

import pytest
from PIL import Image

from captioning.base import Picture
from captioning.mllm import MllmCaptioner
from captioning.moments import read_moments
from captioning.openai_vision import MOST_BYTES, OpenAIVision, OpenAIVisionConfig
from captioning.scripted_server import VisionServer
from catalog.errors import ConfigError, ServiceError

KEY = "sk-secret-key-123"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("VITRINE_CAPTION_API_KEY", KEY)


def captioner(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "retries": 0, "timeout_seconds": 10, "concurrency": 1}
    return MllmCaptioner(OpenAIVision(OpenAIVisionConfig(**{**settings, **changes})))


def pictures(count):
    return [Picture("a", "a.jpg", Image.new("RGB", (64, 48), "red"), None)] * count


def chat(message, **changes):
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], **changes}).encode()


def said(content, **changes):
    return chat({"role": "assistant", "content": content}, **changes)


def caption(text):
    return json.dumps({"caption": text})


GOOD = caption("A small red bag with a long strap stands on a table.")
MALFORMED = {
    "html": (b"<html>hello", "'<html>hello'"),
    "choices text": (said(GOOD, choices="abc"), "choices is a text"),
    "choices number": (said(GOOD, choices=5), "choices is a number"),
    "choices null": (said(GOOD, choices=None), "choices is null"),
    "no choice": (said(GOOD, choices=[]), "no choice"),
    "choice null": (said(GOOD, choices=[None]), "the choice is null"),
    "message null": (chat(None), "message is null"),
    "content list": (said([{"type": "text", "text": GOOD}]), "content is a list"),
    "content number": (said(5), "content is a number"),
    "content object": (said({"caption": "x"}), "content is an object"),
    "refusal object": (chat({"content": GOOD, "refusal": {"a": 1}}), "refusal is an object"),
    "no UTF-8": (b'{"choices": "\xff\xfe"}', "no JSON"),
    "null": (b"null", "null where an object belongs"),
    "list": (b"[1, 2]", "a list where an object belongs"),
    "text": (b'"hi"', "a text where an object belongs"),
    "nothing": (b"", "an empty body"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "long number": (b'{"usage": ' + b"9" * 10_000 + b"}", "no JSON"),
    "too large": (b" " * (MOST_BYTES + 1), f"more than {MOST_BYTES:,} bytes"),
}


@pytest.mark.parametrize("act", MALFORMED)
def test_a_malformed_answer_is_a_failure_of_its_picture_alone(act):
    body, line = MALFORMED[act]
    with VisionServer([act]) as server:
        server.bodies = {act: body}
        bad, good = captioner(server).caption(pictures(2))
    assert bad.text is None and bad.failure.startswith("bad answer: ") and line in bad.failure
    assert bad.retryable and good.text is not None


@pytest.mark.parametrize(
    ("packing", "body", "line"),
    [
        ("gzip", b"\x1f\x8bnope", "no gzip"),
        ("gzip", gzip.compress(said(GOOD))[:-12], "breaks off"),
        ("gzip", gzip.compress(b"0" * 50_000_000), "more than"),
        ("br", b"xyz", "'br'"),
    ],
)
def test_a_packed_answer_is_bounded_and_says_what_was_wrong_with_it(packing, body, line):
    with VisionServer(["packed"] * 2) as server:
        server.bodies, server.packing = {"packed": body}, {"packed": packing}
        [bad] = captioner(server, retries=1).caption(pictures(1))
    assert bad.failure.startswith("bad answer: ") and line in bad.failure
    assert len(server.requests) == 1, "what is packed wrongly once is not asked for again"


def test_a_packed_answer_is_read():
    with VisionServer(["packed"]) as server:
        server.bodies, server.packing = {"packed": gzip.compress(said(GOOD))}, {"packed": "gzip"}
        assert captioner(server).caption(pictures(1))[0].text.startswith("A small red bag")


def test_a_whole_batch_of_malformed_answers_stops_the_job():
    with VisionServer(["html"] * 4) as server, pytest.raises(ServiceError, match=r"all 4 requests.*bad answer"):
        server.bodies = {"html": b"<html>"}
        captioner(server).caption(pictures(4))


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ("abc", None),
        ({"prompt_tokens": None, "completion_tokens": "5"}, None),
        ({"prompt_tokens": -5, "completion_tokens": 1e300}, None),
        ({"prompt_tokens": -5, "completion_tokens": 7}, (0, 7)),
        ({"prompt_tokens": 10**30, "completion_tokens": True}, None),
    ],
)
def test_tokens_that_cannot_be_true_count_as_none(usage, counted):
    with VisionServer(["usage"]) as server:
        server.bodies = {"usage": said(GOOD, usage=usage)}
        [words] = captioner(server).caption(pictures(1))
    assert words.text is not None
    assert (words.usage and (words.usage.prompt, words.usage.completion)) == counted


@pytest.mark.parametrize("content", ['{"caption": ' + "9" * 10_000 + "}", '{"caption":' * 50_000, "NaN"])
def test_what_the_model_itself_says_wrongly_is_its_failure(content):
    with VisionServer(["said"]) as server:
        server.bodies = {"said": said(content)}
        assert captioner(server).caption(pictures(1))[0].failure.startswith("not JSON")


def test_a_moment_at_a_number_of_hundreds_of_digits_is_passed_over():
    assert read_moments([{"seconds": 10**400, "shows": "A bag."}], [0.0, 1.0], 2.0) == ()


@pytest.mark.parametrize(("content", "kept"), [(GOOD + " " * 50, True), (GOOD[:30], False)])
def test_an_answer_at_its_bound_is_whole_where_its_json_is_closed(content, kept):
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "length"}
    with VisionServer(["said"]) as server:
        server.bodies = {"said": said("", choices=[choice])}
        [words] = captioner(server).caption(pictures(1))
    assert (words.text is not None) is kept and (kept or words.failure.startswith("cut off"))


def test_steering_characters_and_lone_surrogates_are_not_kept():
    steered = "A red \x1b[2J\x1b]0;pwned\x07 bag\x00 with \u202e a strap\r\nand \x9b31m more stands here."
    lone = rb'{"choices":[{"message":{"content":"{\"caption\": \"A red \\ud800 bag stands on a table.\"}"}}]}'
    with VisionServer(["steered", "lone"]) as server:
        server.bodies = {"steered": said(caption(steered)), "lone": lone}
        first, second = captioner(server).caption(pictures(2))
    assert first.text == "A red [2J]0;pwned bag with a strap and 31m more stands here."
    assert second.text == "A red bag stands on a table."


@pytest.mark.parametrize("act", ["quote", "said", "refusal"])
def test_a_server_that_quotes_the_key_does_not_get_it_kept(act):
    with VisionServer([act]) as server:
        server.bodies = {"said": said(f"your key is {KEY}"), "refusal": chat({"refusal": f"no {KEY}"})}
        [words] = captioner(server).caption(pictures(1))
    assert KEY not in words.failure and "***" in words.failure


def test_a_key_no_request_can_carry_is_named_by_its_variable(monkeypatch):
    monkeypatch.setenv("VITRINE_CAPTION_API_KEY", "sk-\u00fc\u00fc\u00fc")
    with VisionServer() as server, pytest.raises(ConfigError, match="VITRINE_CAPTION_API_KEY") as caught:
        captioner(server).caption(pictures(1))
    assert "sk-" not in str(caught.value)


def test_a_server_that_drips_is_given_up_after_the_time_of_one_request():
    with VisionServer(["drip"]) as server:
        bad, good = captioner(server, timeout_seconds=0.4).caption(pictures(2))
    assert bad.failure == "timeout: no answer within 0.4 s" and bad.retryable
    assert good.text is not None


def test_a_request_that_hangs_holds_up_no_end_of_the_process():
    with VisionServer(["drip"] * 4) as server:
        client = captioner(server, concurrency=4, timeout_seconds=1)
        stopped = []

        def ask():
            with pytest.raises(ServiceError) as caught:
                client.caption(pictures(4))
            stopped.append(caught.value)

        asking = threading.Thread(target=ask)
        asking.start()
        while len(server.requests) < 4:
            time.sleep(0.01)
        assert all(
            thread.daemon for thread in threading.enumerate() if thread.name.startswith(("caption-", "requests"))
        )
        asking.join()
    assert "timeout" in str(stopped[0])


def test_a_redirect_is_not_followed_and_says_where_to():
    with VisionServer(["redirect"] * 9) as server, pytest.raises(ServiceError, match=r"307, a redirect to '/v1/chat"):
        captioner(server, retries=2).caption(pictures(1))
    assert len(server.requests) == 1
