"""What vLLM is handed, by a stand-in of its module; that it takes it is shown where vLLM is installed."""

import json
import sys
import types
from types import SimpleNamespace

import pytest
from PIL import Image

from captioning.base import Clip, Picture
from captioning.mllm import MllmCaptioner
from captioning.vllm_vision import VllmVision, VllmVisionConfig
from catalog.errors import ConfigError, ServiceError

CAPTION = json.dumps({"caption": "A red mug with a handle.", "colours": ["red"]})


class ClientError(Exception):
    """Stands for vLLM's, which is no ValueError."""


@pytest.fixture
def engine(monkeypatch):
    """Put a module `vllm` in place that keeps what it is given; its name leads the answers."""
    told = SimpleNamespace(loaded=[], chats=[], prompts=[], params=[], fault=None)

    def outputs(inputs, params):
        told.params += params
        if told.fault is not None and any(told.fault(each) for each in inputs):
            raise told.error
        said = SimpleNamespace(text=CAPTION, token_ids=[1, 2, 3], finish_reason="stop")
        return [SimpleNamespace(outputs=[said], prompt_token_ids=[0] * 9) for _ in inputs]

    class LLM:
        def __init__(self, **options):
            told.loaded.append(options)
            vision = SimpleNamespace(patch_size=14, spatial_merge_size=2)
            self.llm_engine = SimpleNamespace(
                model_config=SimpleNamespace(hf_config=SimpleNamespace(vision_config=vision))
            )

        def chat(self, messages, sampling_params, use_tqdm):
            told.chats += messages
            return outputs(messages, sampling_params)

        def generate(self, prompts, sampling_params, *, use_tqdm):
            told.prompts += prompts
            return outputs(prompts, sampling_params)

    def module(name, **names):
        made = types.ModuleType(name)
        vars(made).update(names)
        monkeypatch.setitem(sys.modules, name, made)

    module("vllm", LLM=LLM, SamplingParams=lambda **options: SimpleNamespace(**options))
    module("vllm.sampling_params", StructuredOutputsParams=lambda json: SimpleNamespace(json=json))
    module("vllm.exceptions", VLLMClientError=ClientError)
    told.error = ClientError("The prompt is too long\nfor this model")
    return told


def vision(tiny_checkpoints, **changes):
    return VllmVision(VllmVisionConfig(model=str(tiny_checkpoints["qwen2_5_vl"]), **changes))


def picture(size=(300, 200), time=None):
    return Picture("a", "a.jpg", Image.new("RGB", size, "red"), time)


def clip():
    frames = tuple(picture((100, 80), 0.48 + n) for n in range(5))
    return Clip("a", "a.mp4", frames, tuple(12 + 25 * n for n in range(5)), 5.0, 25.0)


def test_pictures_are_chats_within_the_budget_under_the_schema(engine, tiny_checkpoints):
    captioner = MllmCaptioner(vision(tiny_checkpoints, max_pixels=28 * 28 * 20, max_model_len=2048))
    words = captioner.caption([picture(), picture((100, 100))])
    assert [word.text for word in words] == ["A red mug with a handle. colours: red."] * 2
    assert (words[0].usage.prompt, words[0].usage.completion) == (9, 3)
    [options] = engine.loaded
    assert options["max_model_len"] == 2048 and options["limit_mm_per_prompt"] == {"image": 1, "video": 1}
    assert "max_num_seqs" not in options
    system, user = engine.chats[0]
    assert system["role"] == "system" and isinstance(system["content"], str)
    image = user["content"][0]["image_pil"]
    assert user["content"][0]["type"] == "image_pil" and user["content"][1]["type"] == "text"
    assert image.width * image.height <= 28 * 28 * 20 and image.width % 28 == image.height % 28 == 0
    assert engine.params[0].structured_outputs.json["required"][0] == "caption"
    assert engine.params[0].temperature == 0 and engine.params[0].max_tokens == 400


def test_a_clip_is_one_video_with_its_true_sampling(engine, tiny_checkpoints):
    MllmCaptioner(vision(tiny_checkpoints)).caption_video(clip())
    [prompt] = engine.prompts
    assert prompt["prompt"].count("<|video_pad|>") == 1 and "order of time" in prompt["prompt"]
    [(frames, told)] = prompt["multi_modal_data"]["video"]
    assert frames.shape == (6, 84, 112, 3) and frames.dtype.name == "uint8"  # five frames, the last one twice
    assert told["frames_indices"] == [12, 37, 62, 87, 112, 112] and told["fps"] == 25.0
    assert told["total_num_frames"] == 150 and told["duration"] == 5.0  # six frames, one second apart
    assert told["do_sample_frames"] is False


def test_a_clip_can_be_shown_as_pictures(engine, tiny_checkpoints):
    MllmCaptioner(vision(tiny_checkpoints, clips="images", max_frames=3)).caption_video(clip())
    kinds = [part["type"] for part in engine.chats[0][1]["content"]]
    assert kinds == ["text", "image_pil"] * 3 + ["text"]
    assert engine.loaded[0]["limit_mm_per_prompt"] == {"image": 3}


@pytest.mark.parametrize("error", [ClientError("too long"), ValueError("too long")])
def test_what_vllm_refuses_fails_alone(engine, tiny_checkpoints, error):
    engine.error = error
    engine.fault = lambda chat: chat[1]["content"][0]["image_pil"].width > 400
    words = MllmCaptioner(vision(tiny_checkpoints)).caption([picture(), picture((450, 100)), picture()])
    assert [word.text is None for word in words] == [False, True, False]
    assert words[1].failure == "refused by vLLM: too long"


def test_a_dead_engine_stops_the_job(engine, tiny_checkpoints):
    engine.error, engine.fault = RuntimeError("EngineCore died"), lambda chat: True
    with pytest.raises(ServiceError, match="EngineCore died"):
        MllmCaptioner(vision(tiny_checkpoints)).caption([picture(), picture()])


def test_pictures_and_clips_keep_their_order(engine, tiny_checkpoints):
    from captioning.vision import Ask

    model = vision(tiny_checkpoints)
    asks = [
        Ask(system="s", instruction="first", clip=clip()),
        Ask(system="s", instruction="second", pictures=(picture((2000, 4)),)),
        Ask(system="s", instruction="third", pictures=(picture(),)),
    ]
    first, second, third = model.answer(asks)
    assert first.content == third.content == CAPTION
    assert second.failure.startswith("shape")
    assert engine.params[0].structured_outputs is None


def test_without_vllm_one_line_says_what_would_do(tiny_checkpoints, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ConfigError, match="vLLM is not installed") as caught:
        MllmCaptioner(vision(tiny_checkpoints)).caption([picture()])
    assert "transformers" in str(caught.value) and "\n" not in str(caught.value)
