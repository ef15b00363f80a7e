import numpy as np
import pytest
from PIL import Image

from captioning import prompt
from captioning.base import Clip, Picture, VideoCaptioner
from captioning.openai_compatible import OpenAICaptioner, OpenAICaptionerConfig, read_answer
from captioning.scripted_server import VisionServer, see
from catalog.errors import ServiceError


def picture(colour, size=(40, 30), time=None):
    return Picture("a", "a.jpg", Image.new("RGB", size, colour), time)


def captioner(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "retries": 2, "timeout_seconds": 10, **changes}
    return OpenAICaptioner(OpenAICaptionerConfig(**settings))


def colour_in(text):
    found = text.split("#", 1)[1][:6]
    return [int(found[i : i + 2], 16) for i in (0, 2, 4)]


def test_each_picture_gets_its_own_words_in_order():
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 240, 10), (5, 5, 5)]
    with VisionServer() as server:
        words = captioner(server, concurrency=3).caption([picture(c) for c in colours])
    # JPEG moves a flat colour by a few steps at most.
    for colour, word in zip(colours, words, strict=True):
        assert np.abs(np.subtract(colour_in(word.text), colour)).max() <= 6
        assert "pattern: solid" in word.text and "None" not in word.text


def test_the_request_is_structured_and_within_the_pixel_budget():
    with VisionServer() as server:
        captioner(server, max_pixels=10_000).caption([picture("red", (800, 400))])
    [request] = server.requests
    assert request["response_format"]["json_schema"]["schema"] == prompt.SCHEMA
    [((width, height), _)] = see(request)
    assert width * height <= 10_000
    assert width / height == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("script", [["429"], ["500", "503"], ["429", "500"]])
def test_a_passing_fault_is_retried(script):
    with VisionServer(script) as server:
        [words] = captioner(server).caption([picture("red")])
    assert words.text is not None
    assert len(server.requests) == len(script) + 1


@pytest.mark.parametrize(
    ("act", "reason", "retryable"),
    [
        ("broken", "not JSON", False),
        ("refuse", "refusal", False),
        ("babble", "repetition", False),
        ("cut", "cut off", False),
        ("400", "status 400", False),
        ("500", "status 500", True),
    ],
)
def test_what_is_no_caption_is_a_failure_of_that_picture_alone(act, reason, retryable):
    with VisionServer([act]) as server:
        client = captioner(server, retries=0, concurrency=1)
        bad, good = client.caption([picture("red"), picture("blue")])
    assert bad.text is None and bad.failure.split(":")[0] == reason and bad.retryable is retryable
    assert good.text is not None


def test_a_slow_answer_times_out():
    with VisionServer(["slow"]) as server:
        [words] = captioner(server, retries=0, timeout_seconds=0.1).caption([picture("red")])
    assert words.failure.startswith("timeout") and words.retryable


def test_a_server_that_fails_a_whole_batch_stops_the_job():
    with VisionServer(["500"] * 4) as server, pytest.raises(ServiceError, match="all 4 requests") as caught:
        captioner(server, retries=0).caption([picture("red")] * 4)
    assert caught.value.retryable


def test_an_unknown_model_or_key_is_an_outage_that_says_what_to_check():
    with VisionServer(["404"]) as server, pytest.raises(ServiceError, match=r"'tiny'.*VITRINE_CAPTION_API_KEY"):
        captioner(server, retries=0).caption([picture("red")])


def test_nobody_listening_is_an_outage():
    with VisionServer() as server:
        pass
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        captioner(server, retries=0).caption([picture("red")])
    assert caught.value.retryable


def test_a_video_is_one_question_with_spaced_frames():
    with VisionServer() as server:
        client = captioner(server, max_frames=4)
        assert isinstance(client, VideoCaptioner)
        frames = tuple(picture((n * 20, 0, 0), time=float(n)) for n in range(12))
        words = client.caption_video(Clip("a", "a.mp4", frames, tuple(range(12)), 12.0, 1.0))
    assert len(see(server.requests[0])) == 4
    assert words.text is not None


def test_the_prompt_and_what_changes_captions_stand_in_the_prompt_sha():
    config = OpenAICaptionerConfig(base_url="http://x/v1", model="m")

    def sha(**changes):
        return OpenAICaptioner(config.model_copy(update=changes)).prompt_sha

    assert sha() != sha(max_pixels=1000) and sha() != sha(temperature=1.0)
    assert sha() == sha(concurrency=2) == sha(retries=0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"caption": "A mug", "colours": ["red", " "], "style": ""}', "A mug. colours: red."),
        ('```json\n{"caption": "A mug."}\n```', "A mug."),
    ],
)
def test_answers_become_one_text(content, text):
    assert read_answer(content).text == text


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        ("", "empty"),
        ('{"caption": ""}', "empty"),
        ('{"colours": []}', "wrong fields: caption"),
        ("[1]", "wrong fields: answer"),
        ('{"caption": "I cannot see any image."}', "refusal"),
        ('{"caption": "' + "long words differ " + "x" * 1600 + '"}', "too long"),
    ],
)
def test_answers_that_are_no_caption(content, failure):
    assert read_answer(content).failure.startswith(failure)
