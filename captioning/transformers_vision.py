"""`transformers`: an MLLM in this process, by `AutoModelForImageTextToText`; Qwen2.5-VL and Qwen3-VL class, and others.

No engine stands behind it that packs requests, so it is the slow way: for one GPU, a laptop, or a model that vLLM does
not know. Words are the likeliest ones, always the same for the same batch.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from batch.base import Usage
from captioning.base import Clip
from captioning.checkpoints import CheckpointConfig, checkpoint_folder, fingerprint
from captioning.frames import image_part, paired, thinned, video_part, vision_inputs
from captioning.openai_vision import frame_line
from captioning.pixel_budget import FACTOR, within_budget
from captioning.vision import Answer, Ask
from catalog.errors import ConfigError, MediaError, ServiceError
from catalog.workspace import content_key
from embedding.opening import why_not_opened
from embedding.torch_running import quiet_loading

if TYPE_CHECKING:
    from transformers import GenerationConfig

GROUP = "captions.transformers"
FORM = "Answer with one JSON object and nothing else, by this JSON schema:\n"

Message = dict[str, Any]


class TransformersVisionConfig(CheckpointConfig):
    """Which model is loaded, where to, and how it is run."""

    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """`auto`: the first CUDA device, else the CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: as the weights are stored, on a CPU float32; changes captions a little."""
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2"] = "auto"
    """Which attention kernel; `flash_attention_2` takes its own package."""
    batch_size: int = Field(4, ge=1)
    """Questions generated at once; halved where the device's memory does not hold them. In half precision a caption may
    differ by its neighbours in a batch; 1 rules that out."""


class TransformersVision:
    """A `ChatVision` of a model in this process; it is loaded by the first question.

    The schema of an answer is told to the model in words, since nothing holds it to it.

    Raises:
        ConfigError: When the model's files are not here and must not be downloaded.
    """

    def __init__(self, config: TransformersVisionConfig) -> None:
        self.config = config
        self.name = config.name
        self.model = config.model_name
        self._folder = checkpoint_folder(config, GROUP)
        words = config.model_dump(include=WORDS)
        self.settings_sha = content_key("transformers", fingerprint(config, self._folder), words)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return TransformersVision, (self.config,)

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Return one answer a question, in order.

        Raises:
            ServiceError: When the model cannot be loaded.
        """
        if not asks:
            return []
        with self._lock:  # one model, one device
            if self._loaded is None:
                self._loaded = _load(self.config, str(self._folder or self.config.model))
            loaded = self._loaded
            answers: dict[int, Answer] = {}
            ready: dict[int, tuple[list[Message], list[Clip]]] = {}
            for at, ask in enumerate(asks):
                try:
                    ready[at] = _messages(ask, self.config, loaded)
                except MediaError as error:  # a strip of pixels that no model takes
                    answers[at] = Answer(None, f"shape: {error}")
            for max_tokens in sorted({asks[at].max_tokens for at in ready}):
                alike = [at for at in ready if asks[at].max_tokens == max_tokens]
                answers |= zip(
                    alike,
                    _generate(loaded, [ready[at] for at in alike], max_tokens, self.config.batch_size),
                    strict=True,
                )
            return [answers[at] for at in range(len(asks))]


WORDS = {"max_pixels", "min_pixels", "max_frames", "frame_pixels", "dtype"}
"""Settings that change words; the batch only in the last bits."""


class _Loaded:
    """A model with its processor, and what it takes."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor
        images = getattr(processor, "image_processor", None)
        self.patch_size = int(getattr(images, "patch_size", 0) or 0)
        merged = int(getattr(images, "merge_size", 0) or 0)
        # Qwen-VL folds patches by `merge_size`; only for such a model qwen-vl-utils is right.
        self.is_qwen = bool(self.patch_size and merged) and "qwen" in str(model.config.model_type)
        self.factor = self.patch_size * merged if self.is_qwen else FACTOR
        processor.tokenizer.padding_side = "left"
        videos: Any = getattr(processor, "video_processor", None)
        if hasattr(videos, "cap_pixels_per_frame"):
            videos.cap_pixels_per_frame = False  # frames come in their final size; silences a word on the default
        self.generation = _greedy(model.generation_config, processor.tokenizer)

    def greedy(self, max_tokens: int) -> GenerationConfig:
        chosen = copy(self.generation)
        chosen.max_new_tokens = max_tokens
        return chosen

    def ends(self) -> frozenset[int]:
        ends = self.generation.eos_token_id
        return frozenset(ends if isinstance(ends, list) else [ends])


def _load(config: TransformersVisionConfig, where: str) -> _Loaded:
    try:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor
    except ImportError as error:
        raise ConfigError(f"transformers cannot be imported ({error}): install vitrine again") from error
    best = "cuda:0" if torch.cuda.is_available() else "cpu"
    device = best if config.device == "auto" else config.device
    dtype = "float32" if config.dtype == "auto" and device == "cpu" else config.dtype
    options: dict[str, Any] = {
        "local_files_only": config.local_files_only,
        "revision": config.revision,
        "trust_remote_code": False,  # None, the default, asks at the terminal
    }
    kernel = {} if config.attention == "auto" else {"attn_implementation": config.attention}
    try:
        processor = AutoProcessor.from_pretrained(where, **options)  # type: ignore[no-untyped-call]
        with quiet_loading():
            model: Any = AutoModelForImageTextToText.from_pretrained(where, dtype=dtype, **kernel, **options)
        model.eval().to(device)
    except Exception as error:  # a damaged checkpoint, a full device: each library has words of its own
        why = why_not_opened(error)
        raise ServiceError(f"{GROUP}.model {config.model!r} cannot be loaded on {device!r}: {why}") from error
    return _Loaded(model, processor)


def _greedy(own: GenerationConfig, tokenizer: Any) -> GenerationConfig:
    """Return the model's generation settings without its dice."""
    from transformers import GenerationConfig

    ends = own.eos_token_id if own.eos_token_id is not None else tokenizer.eos_token_id
    pad = own.pad_token_id if own.pad_token_id is not None else tokenizer.pad_token_id
    pad = pad if pad is not None else (ends[0] if isinstance(ends, list) else ends)
    penalty = own.repetition_penalty or 1.0
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False, repetition_penalty=penalty, eos_token_id=ends, pad_token_id=pad
    )


def _messages(ask: Ask, config: TransformersVisionConfig, loaded: _Loaded) -> tuple[list[Message], list[Clip]]:
    """Return the conversation of a question, and its clips as they are shown.

    Raises:
        MediaError: When a picture is too long a strip.
    """

    def fitted(image: Any, max_pixels: int) -> Any:
        return within_budget(image, loaded.factor, config.min_pixels, max_pixels)

    parts = [image_part(fitted(picture.image, config.max_pixels)) for picture in ask.pictures]
    clips = []
    if ask.clip is not None:
        clip = thinned(ask.clip, config.max_frames)
        images = [fitted(frame.image, config.frame_pixels) for frame in clip.frames]
        if loaded.is_qwen:
            clips.append(shown := paired(clip))
            images += images[-1:] * (len(shown.frames) - len(images))
            parts.append(video_part(images, config.min_pixels, config.frame_pixels))
        else:
            for image, time in zip(images, clip.times, strict=True):
                parts += [{"type": "text", "text": frame_line(time, clip.seconds)}, image_part(image)]
    instruction = ask.instruction
    if ask.schema is not None:
        instruction = f"{instruction}\n{FORM}{json.dumps(ask.schema, ensure_ascii=False)}"
    parts.append({"type": "text", "text": instruction})
    system = [{"type": "text", "text": ask.system}]
    return [{"role": "system", "content": system}, {"role": "user", "content": parts}], clips


def _inputs(loaded: _Loaded, batch: Sequence[tuple[list[Message], list[Clip]]]) -> Any:
    conversations = [messages for messages, _ in batch]
    clips = [clip for _, several in batch for clip in several]
    texts = [
        loaded.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        for messages in conversations
    ]
    if loaded.is_qwen:
        given = vision_inputs(conversations, clips, loaded.patch_size)
    else:
        images = [
            [part["image"] for message in messages for part in message["content"] if part["type"] == "image"]
            for messages in conversations
        ]
        given = {"images": images} if any(images) else {}
    return loaded.processor(text=texts, padding=True, return_tensors="pt", **given)


def _generate(
    loaded: _Loaded, work: Sequence[tuple[list[Message], list[Clip]]], max_tokens: int, batch_size: int
) -> list[Answer]:
    import torch

    answers: list[Answer] = []
    at, size = 0, batch_size
    while at < len(work):
        try:
            answers += _run(loaded, work[at : at + size], max_tokens)
        except torch.OutOfMemoryError as error:
            if size > 1:
                size //= 2
                continue
            answers.append(Answer(None, f"out of memory: {str(error)[:200]}"))
        at += size
    return answers


def _run(loaded: _Loaded, batch: Sequence[tuple[list[Message], list[Clip]]], max_tokens: int) -> list[Answer]:
    import torch

    inputs = _inputs(loaded, batch).to(loaded.model.device)
    with torch.inference_mode():
        told = loaded.model.generate(**inputs, generation_config=loaded.greedy(max_tokens))
    width = inputs["input_ids"].shape[1]
    asked = inputs["attention_mask"].sum(dim=1).tolist()
    ends, answers = loaded.ends(), []
    for read, row in zip(asked, told[:, width:].tolist(), strict=True):
        end = next((at for at, token in enumerate(row) if token in ends), None)
        written = row if end is None else row[:end]
        content = loaded.processor.tokenizer.decode(written, skip_special_tokens=True)
        answers.append(Answer(content, cut=end is None, usage=Usage(int(read), len(written) + (end is not None))))
    return answers
