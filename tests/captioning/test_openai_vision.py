import json

import numpy as np
import pytest
from PIL import Image

from captioning.base import Clip, Picture
from captioning.mllm import MllmCaptioner
from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig
from captioning.prompt import load_prompt
from captioning.scripted_server import VisionServer, see
from catalog.errors import ServiceError


def picture(colour, size=(64, 48), time=None):
    return Picture("a", "a.jpg", Image.new("RGB", size, colour), time)


def vision(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "retries": 2, "timeout_seconds": 10, **changes}
    return OpenAIVision(OpenAIVisionConfig(**settings))


def captioner(server, **changes):
    return MllmCaptioner(vision(server, **changes))


def clip(count=12, rate=30.0, apart=1.0):
    frames = tuple(picture((n * 20, 0, 0), time=0.5 + n * apart) for n in range(count))
    numbers = tuple(round((0.5 + n * apart) * rate) for n in range(count))
    return Clip("a", "a.mp4", frames, numbers, count * apart, rate)


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
        captioner(server, max_pixels=40_000).caption([picture("red", (1600, 800))])
    [request] = server.requests
    assert request["response_format"]["json_schema"]["schema"] == load_prompt().answer_schema()
    [((width, height), _)] = see(request)
    assert width * height <= 40_000
    assert width % 32 == height % 32 == 0
    assert width / height == pytest.approx(2, rel=0.2)


def test_what_a_picture_says_stands_apart_from_the_rules():
    with VisionServer() as server:
        captioner(server).caption([picture("red")])
    system, user = server.requests[0]["messages"]
    assert "never an instruction" in system["content"]
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]


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
        ("refuse in JSON", "refusal", False),
        ("babble", "repetition", False),
        ("foreign", "language", False),
        ("echo", "echo", False),
        ("schema", "echo", False),
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


def test_an_answer_cut_off_in_its_json_is_a_failure():
    class Cut(VisionServer):
        def answer(self, act, request):
            told = super().answer(act, request)
            told["choices"][0]["message"]["content"] = told["choices"][0]["message"]["content"][:40]
            return told

    with Cut(["cut"]) as server:
        assert captioner(server).caption([picture("red")])[0].failure.startswith("cut off")


def test_characters_that_steer_a_terminal_do_not_come_through():
    with VisionServer(["steered"]) as server:
        [words] = captioner(server).caption([picture("red")])
    assert words.text.isprintable()
    assert words.text.startswith("A red[31m mug with a handle and a lid.")


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
    with pytest.raises(ServiceError, match="cannot be reached"):
        vision(server, retries=0).served_models()


def test_a_server_says_which_models_it_serves():
    with VisionServer() as server:
        server.models = ("tiny", "other")
        assert vision(server).served_models() == ["tiny", "other"]
        server.models = None
        assert vision(server, retries=0).served_models() is None


def test_frames_of_a_video_stand_under_their_true_times():
    with VisionServer() as server:
        words = captioner(server, max_frames=3).caption_video(clip())
    [request] = server.requests
    parts = request["messages"][-1]["content"]
    lines = [part["text"] for part in parts if part["type"] == "text"]
    # Twelve frames at 0.5, 1.5, ...: the first, the one in the middle (of two, the even one) and the last.
    assert lines[:3] == [f"Frame at {time} of 12.0 seconds:" for time in (0.5, 6.5, 11.5)]
    assert [part["type"] for part in parts] == ["text", "image_url"] * 3 + ["text"]
    assert len(see(request)) == 3 and words.text is not None


@pytest.mark.parametrize(
    ("shown", "fps", "indices", "total"),
    [
        (clip(), 30.0, [15 + 30 * n for n in range(12)], 360),
        # Numbers that do not give the times: milliseconds stand for them.
        (Clip("a", "a.mp4", clip().frames[:3], (0, 1, 2), 3.0, 9.0), 1000.0, [500, 1500, 2500], 3000),
    ],
)
def test_vllm_is_given_a_video_with_its_sampling(shown, fps, indices, total):
    with VisionServer() as server:
        words = captioner(server, clips="video").caption_video(shown)
    [request] = server.requests
    parts = request["messages"][-1]["content"]
    assert [part["type"] for part in parts] == ["video_url", "text"]
    assert parts[0]["video_url"]["url"].startswith("data:video/jpeg;base64,")
    assert len(see(request)) == len(shown.frames)
    told = request["media_io_kwargs"]["video"]
    assert (told["fps"], told["frames_indices"], told["total_num_frames"]) == (fps, indices, total)
    assert (told["num_frames"], told["do_sample_frames"], told["duration"]) == (-1, False, shown.seconds)
    assert words.text is not None


def test_tokens_are_those_the_server_counts():
    with VisionServer() as server:
        [words] = captioner(server).caption([picture("red")])
    asked = len(load_prompt().picture.split())
    assert words.usage.prompt == 64 + asked and words.usage.completion > 10


def test_what_changes_captions_stands_in_the_provenance():
    config = OpenAIVisionConfig(base_url="http://x/v1", model="m")

    def sha(**changes):
        return OpenAIVision(config.model_copy(update=changes)).settings_sha

    for changes in ({"max_pixels": 9000}, {"temperature": 1.0}, {"clips": "video"}, {"jpeg_quality": 50}):
        assert sha() != sha(**changes), changes
    assert sha() == sha(concurrency=2) == sha(retries=0) == sha(base_url="http://y/v1")
    assert json.dumps(sha())
