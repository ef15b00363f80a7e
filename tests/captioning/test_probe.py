import copy
from random import Random

import pytest
from PIL import Image

from captioning.base import Clip, Picture
from captioning.letter_reader import read_capitals
from captioning.odd_form import OddForm, draw_form
from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig
from captioning.probe import CHECKS, NAME, READ, examine
from captioning.probe_pictures import COLOURS, WORDS, draw_change, draw_words
from captioning.proven import ProvenVision, expect_videos
from captioning.seeing_server import SeeingServer
from captioning.vision import Ask
from catalog.errors import ServiceError

PICTURE = Picture("a", "a.jpg", Image.new("RGB", (64, 64), "red"))
ASK = Ask("", "Repeat: it is red", pictures=(PICTURE,))


def vision(server, **changes):
    settings = {"base_url": server.base_url, "model": "seeing", "retries": 0, "timeout_seconds": 10, **changes}
    return OpenAIVision(OpenAIVisionConfig(**settings))


def examined(fault=None, checks=CHECKS, **changes):
    with SeeingServer(fault) as server:
        findings = examine(vision(server, **changes), checks, Random(5))
    return {finding.subject: finding for finding in findings}, server.requests


@pytest.mark.parametrize("changes", [{}, {"clips": "video"}, {"max_frames": 2}, {"max_pixels": 200 * 200}])
def test_a_server_that_sees_passes_every_check(changes):
    found, requests = examined(**changes)
    assert [(each.subject, each.level) for each in found.values()] == [(check, "ok") for check in CHECKS]
    assert len(requests) == 4  # a picture, two clips, a form


@pytest.mark.parametrize(
    ("fault", "check", "said", "helps"),
    [
        ("blind", "pictures", "answered 'HELLO WORLD AGAIN' (these are other words)", "did not see the picture"),
        ("blind", "frames", "these are other colours", "--limit-mm-per-prompt"),
        ("swapped", "frames", "the order is turned round", "reorders"),
        ("first frame", "frames", "only one of the two colours was seen", "--limit-mm-per-prompt"),
        ("shapeless", "schema", "it is no JSON", "response_format json_schema"),
        ("cut off", "pictures", "cut off", "Instruct"),
    ],
)
def test_each_fault_fails_its_check_by_name(fault, check, said, helps):
    finding = examined(fault)[0][check]
    text = finding.text
    assert finding.level == "bad" and text.startswith("shown ") and said in text and helps in text and "\n" not in text


def test_a_model_of_this_process_is_told_what_helps_there():
    class Here:  # no server: nothing that lists models
        def __init__(self, served):
            self.answer, self.model, self.name, self.settings_sha = served.answer, "seeing", "mllm", "sha"

    with SeeingServer("cut off") as server:
        [finding] = examine(Here(vision(server)), ("pictures",), Random(5))
    assert "cut off at 400 tokens" in finding.text and "--reasoning-parser" not in finding.text
    assert "load an Instruct model" in finding.text


def test_thinking_aloud_is_passed_over_as_the_captioner_does():
    assert {finding.level for finding in examined("thinking")[0].values()} == {"ok"}


def test_a_fault_of_one_check_leaves_the_others_alone_and_gets_a_second_chance_drawn_anew():
    found, requests = examined("swapped")
    assert [check for check, finding in found.items() if finding.level == "bad"] == ["frames"]
    assert len(requests) == 4 + 2
    shown = [request["messages"] for request in requests if NAME in str(request["messages"])]
    assert len({str(messages) for messages in shown}) >= 3  # two of one probe always differ


def test_what_a_job_does_not_need_is_not_asked():
    found, requests = examined("first frame", checks=("pictures", "schema"))
    assert {finding.level for finding in found.values()} == {"ok"} and len(requests) == 2


def test_a_model_of_one_frame_fails_though_it_sees():
    assert examined(max_frames=1)[0]["frames"].level == "bad"


def test_a_refused_request_names_the_setting_that_would_help():
    class Narrow(SeeingServer):
        def next_act(self, request):
            super().next_act(request)
            return "400 At most 1 image(s) may be provided in one prompt."

    with Narrow() as server:
        [finding] = examine(vision(server), ("pictures",), Random(1))
    assert "status 400" in finding.text and finding.text.endswith("raise the server's --limit-mm-per-prompt")


def test_a_vllm_that_takes_no_times_with_a_clip_is_told_by_its_flag():
    class Untrusting(SeeingServer):
        def next_act(self, request):
            super().next_act(request)
            return "400 Per-request media_io_kwargs are disabled by default because they can change multimodal media"

    with Untrusting() as server:
        [finding] = examine(vision(server, clips="video"), ("frames",), Random(1))
    assert "(status 400: Per-request media_io_kwargs" in finding.text and "--trust-request-mm-kwargs" in finding.text


def test_another_model_under_the_same_address_is_noticed():
    with SeeingServer(model="other") as server:
        [finding] = examine(vision(server))
    assert finding.text == "the server serves other, not 'seeing'" and server.requests == []


def test_every_probe_of_the_wild_is_drawn_anew():
    with SeeingServer() as server:
        for _ in range(2):
            assert {finding.level for finding in examine(vision(server))} == {"ok"}
    pictures = [str(request["messages"]) for request in server.requests if READ in str(request["messages"])]
    assert len(set(pictures)) == 2


def test_nothing_that_is_shown_stands_in_a_prompt():
    words = set(READ.upper().split()) | set(NAME.upper().split())
    assert not words & set(WORDS)
    form = draw_form(Random(1))
    with SeeingServer() as server:
        examine(vision(server), ("schema",), Random(1))
    assert not any(badge in str(server.requests[0]["messages"]) for badge in form.badges)


@pytest.mark.parametrize("seed", range(20))
def test_cards_can_be_read_and_changes_told(seed):
    card = draw_words(Random(seed))
    assert tuple(read_capitals(card.picture.image)) == card.words and len(set(card.words)) == 3
    change = draw_change(Random(seed))
    seen = [COLOURS[change.colours[0]]] * 2 + [COLOURS[change.colours[1]]] * 2
    assert [frame.image.getpixel((9, 9)) for frame in change.clip.frames] == seen
    assert change.colours[0] != change.colours[1]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "it is no JSON"),
        ("[3]", "it is no JSON object"),
        ('{"badge": "AC-1"', "it is no JSON"),
        ('{"badge": "AC-1"}', "its fields are badge"),
        ('{"badge": "XY-9", "shelf": 203}', "badge is 'XY-9'"),
        ('{"badge": "AC-1", "shelf": 209}', "shelf is 209"),
        ('{"badge": "AC-1", "shelf": true}', "shelf is True"),
        ('{"badge": "AC-1", "shelf": "203"}', "shelf is '203'"),
        ('```json\n{"badge": "HK-2", "shelf": 208}\n```', None),
    ],
)
def test_a_form_is_filled_in_right_or_not(content, fault):
    assert OddForm(("AC-1", "HK-2"), 200, 208).fault(content) == fault


@pytest.mark.parametrize("architecture", ["qwen2_5_vl", "qwen3_vl"])
def test_random_weights_fail(architecture, tmp_path):
    from captioning.tiny_checkpoints import build_tiny_checkpoint
    from captioning.transformers_vision import TransformersVision, TransformersVisionConfig

    folder = build_tiny_checkpoint(tmp_path / "tiny", architecture)
    model = TransformersVision(TransformersVisionConfig(model=str(folder), device="cpu"))
    assert [(finding.subject, finding.level) for finding in examine(model)] == [(check, "bad") for check in CHECKS]
    with pytest.raises(ServiceError, match=r"'tiny' failed the probe 'pictures': shown .* answered"):
        ProvenVision(model).answer([ASK])


def test_a_flat_picture_has_no_letters():
    assert read_capitals(Image.new("RGB", (200, 100), "navy")) == []


def test_the_first_question_waits_for_the_proof_and_the_second_does_not():
    with SeeingServer() as server:
        proven = ProvenVision(vision(server))
        assert server.requests == []
        assert proven.answer([ASK])[0].content == "it is red"
        assert len(server.requests) == 2 + 1
        proven.answer([ASK])
        assert len(server.requests) == 2 + 1 + 1


def test_frames_are_proven_when_the_first_clip_comes_or_at_once_when_told():
    clip = Clip("a", "a.mp4", (PICTURE,), (0,), 1.0, 1.0)
    with SeeingServer("first frame") as server:
        proven = ProvenVision(vision(server))
        proven.answer([ASK])
        with pytest.raises(ServiceError, match=r"'seeing' failed the probe 'frames'.*only one of the two colours"):
            proven.answer([Ask("", "", clip=clip)])

        class Captioner:
            vision = ProvenVision(proven.vision)

        expect_videos(Captioner())
        with pytest.raises(ServiceError, match="'frames'"):
            Captioner.vision.answer([ASK])


def test_a_failed_proof_is_never_remembered_as_a_passed_one():
    with SeeingServer("blind") as server:
        proven = ProvenVision(vision(server))
        for _ in range(2):
            with pytest.raises(ServiceError, match="failed the probe 'pictures'"):
                proven.answer([ASK])
        server.fault = None
        assert proven.answer([ASK])[0].content == "it is red"


def test_off_asks_nothing_and_its_words_are_other_words():
    with SeeingServer("blind") as server:
        inner = vision(server)
        off = ProvenVision(inner, "off")
        assert off.answer([ASK])[0].content == "it is red"
    assert len(server.requests) == 1
    assert off.settings_sha != inner.settings_sha == ProvenVision(inner).settings_sha
    assert off.stamp == {"probe": "off"} and ProvenVision(inner).stamp == {"probe": "run"}


def test_a_copy_in_another_process_proves_itself_again():
    with SeeingServer() as server:
        proven = ProvenVision(vision(server), videos=True)
        proven.answer([ASK])
        other = copy.copy(proven)  # by `__reduce__`, as a process takes it
        before = len(server.requests)
        other.answer([ASK])
    assert len(server.requests) - before == 4 + 1
