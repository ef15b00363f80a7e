"""`vllm`: an MLLM in this process, by vLLM's own engine; the fast way on a GPU without a server beside the job.

Written for vLLM 0.32. Pictures go through `LLM.chat`. It has no way to say when the frames of a list were taken, so a
clip goes through `LLM.generate`, with the same chat template and its frames and sampling beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field

from batch.base import Usage
from captioning.base import Clip
from captioning.checkpoints import CheckpointConfig, checkpoint_folder, fingerprint
from captioning.frames import paired, sampling, thinned
from captioning.openai_vision import frame_line
from captioning.pixel_budget import FACTOR, within_budget
from captioning.vision import Answer, Ask
from catalog.errors import ConfigError, MediaError, ServiceError
from catalog.workspace import content_key

GROUP = "captions.vllm"
WORDS = {
    "max_pixels", "min_pixels", "max_frames", "frame_pixels", "dtype", "quantization", "clips", "temperature", "seed",
}  # fmt: skip
"""Settings that change words."""


class VllmVisionConfig(CheckpointConfig):
    """Which model vLLM loads, how much of the GPU it takes, and how it is run."""

    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """`auto`: as the weights are stored."""
    quantization: str | None = None
    """As vLLM names it, such as `fp8`; None: as the checkpoint says."""
    max_model_len: int | None = Field(8192, ge=256)
    """Tokens of prompt and answer; less leaves more memory for requests at once. None: as the model says."""
    gpu_memory_utilization: float = Field(0.9, gt=0, le=1)
    """Share of the GPU's memory that vLLM takes; less where something else runs on it."""
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs the weights are spread over."""
    max_num_seqs: int | None = Field(None, ge=1)
    """Requests at once; None: vLLM's own bound."""
    limit_mm_per_prompt: dict[str, int] | None = None
    """Most pictures and videos of one question, which vLLM reserves memory for; None: what captions need."""
    enforce_eager: bool = False
    """True starts faster and runs slower: no CUDA graphs."""
    clips: Literal["video", "images"] = "video"
    """`video` shows the frames of a video as one, with their true times, which Qwen-VL models take; `images` shows them
    as pictures, each under its time, for models that take no video."""
    temperature: float = Field(0.0, ge=0)
    """0 gives the likeliest words."""
    seed: int = 0
    """Of the dice, where the temperature is above 0."""


class VllmVision:
    """A `ChatVision` of vLLM's engine in this process; it is loaded by the first question.

    Raises:
        ConfigError: When the model's files are not here and must not be downloaded.
    """

    def __init__(self, config: VllmVisionConfig) -> None:
        self.config = config
        self.name = config.name
        self.model = config.model_name
        self._folder = checkpoint_folder(config, GROUP)
        words = config.model_dump(include=WORDS)
        self.settings_sha = content_key("vllm", fingerprint(config, self._folder), words)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return VllmVision, (self.config,)

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Return one answer a question, in order; the engine packs them by itself.

        Raises:
            ConfigError: When vLLM is not installed.
            ServiceError: When the model cannot be loaded, or the engine died.
        """
        if not asks:
            return []
        with self._lock:  # the engine is stepped by one thread
            engine = self._engine
            answers: dict[int, Answer] = {}
            chats: dict[int, Any] = {}
            prompts: dict[int, Any] = {}
            for at, ask in enumerate(asks):
                try:
                    if ask.clip is not None and self.config.clips == "video":
                        prompts[at] = self._prompt(ask, ask.clip)
                    else:
                        chats[at] = self._chat(ask)
                except MediaError as error:  # a strip of pixels that no model takes
                    answers[at] = Answer(None, f"shape: {error}")
            for inputs, run in ((chats, engine.chat), (prompts, engine.generate)):
                params = [_params(asks[at], self.config) for at in inputs]
                answers |= zip(inputs, _run(run, list(inputs.values()), params), strict=True)
            return [answers[at] for at in range(len(asks))]

    @property
    def _where(self) -> str:
        return str(self._folder or self.config.model)

    @cached_property
    def _engine(self) -> Any:
        try:
            from vllm import LLM
        except ImportError as error:
            raise ConfigError(
                "captions.captioner is 'vllm' and vLLM is not installed: in the checkout, on a machine "
                "with a GPU, pip install -e '.[gpu]' -c constraints-gpu.txt; captions.captioner 'transformers' or "
                "'openai' (a vLLM server) would be valid"
            ) from error
        config = self.config
        needed = {"image": 1, "video": 1} if config.clips == "video" else {"image": config.max_frames}
        optional = {"max_num_seqs": config.max_num_seqs, "max_model_len": config.max_model_len}
        try:
            return LLM(
                model=self._where,
                revision=config.revision if self._folder is None else None,
                dtype=config.dtype,
                quantization=config.quantization,
                gpu_memory_utilization=config.gpu_memory_utilization,
                tensor_parallel_size=config.tensor_parallel_size,
                limit_mm_per_prompt=config.limit_mm_per_prompt or needed,
                enforce_eager=config.enforce_eager,
                seed=config.seed,
                **{name: value for name, value in optional.items() if value is not None},
            )
        except Exception as error:  # a damaged checkpoint, a full GPU: each library has words of its own
            raise ServiceError(f"{GROUP}.model {config.model!r} cannot be loaded by vLLM: {_line(error)}") from error

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        options: dict[str, Any] = {"local_files_only": self.config.local_files_only}
        if self._folder is None:
            options["revision"] = self.config.revision
        return AutoProcessor.from_pretrained(self._where, **options)  # type: ignore[no-untyped-call]

    @cached_property
    def _factor(self) -> int:
        """Side in pixels of the square that becomes one token."""
        vision = getattr(self._engine.llm_engine.model_config.hf_config, "vision_config", None)
        patch, merged = getattr(vision, "patch_size", None), getattr(vision, "spatial_merge_size", None)
        return patch * merged if isinstance(patch, int) and isinstance(merged, int) else FACTOR

    def _fitted(self, image: Any, max_pixels: int) -> Any:
        return within_budget(image, self._factor, self.config.min_pixels, max_pixels)

    def _chat(self, ask: Ask) -> list[dict[str, Any]]:
        """Return the conversation of a question, its pictures as PIL images.

        Raises:
            MediaError: When a picture is too long a strip.
        """
        parts = [_image(self._fitted(picture.image, self.config.max_pixels)) for picture in ask.pictures]
        if ask.clip is not None:
            clip = thinned(ask.clip, self.config.max_frames)
            for frame, time in zip(clip.frames, clip.times, strict=True):
                parts.append({"type": "text", "text": frame_line(time, clip.seconds)})
                parts.append(_image(self._fitted(frame.image, self.config.frame_pixels)))
        parts.append({"type": "text", "text": ask.instruction})
        return [{"role": "system", "content": ask.system}, {"role": "user", "content": parts}]

    def _prompt(self, ask: Ask, clip: Clip) -> dict[str, Any]:
        """Return the prompt of a question about a clip, with its frames and their sampling.

        Raises:
            MediaError: When a frame is too long a strip.
        """
        shown = paired(thinned(clip, self.config.max_frames))
        frames = np.stack([np.asarray(self._fitted(f.image, self.config.frame_pixels)) for f in shown.frames])
        pictures = [self._fitted(picture.image, self.config.max_pixels) for picture in ask.pictures]
        parts = [{"type": "image"}] * len(pictures) + [{"type": "video"}, {"type": "text", "text": ask.instruction}]
        system = [{"type": "text", "text": ask.system}]
        text = self._processor.apply_chat_template(
            [{"role": "system", "content": system}, {"role": "user", "content": parts}],
            tokenize=False,
            add_generation_prompt=True,
        )
        told = {**sampling(shown).metadata(), "do_sample_frames": False}
        data: dict[str, Any] = {"video": [(frames, told)], **({"image": pictures} if pictures else {})}
        return {"prompt": text, "multi_modal_data": data}


def _image(image: Any) -> dict[str, Any]:
    return {"type": "image_pil", "image_pil": image}


def _params(ask: Ask, config: VllmVisionConfig) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    held = StructuredOutputsParams(json=dict(ask.schema)) if ask.schema is not None else None
    dice = {"seed": config.seed} if config.temperature else {}
    return SamplingParams(max_tokens=ask.max_tokens, temperature=config.temperature, structured_outputs=held, **dice)


def _run(run: Callable[..., list[Any]], inputs: list[Any], params: list[Any]) -> list[Answer]:
    """Return the answers; what vLLM refuses as a whole is asked one by one, so that only the culprit fails."""
    if not inputs:
        return []
    from vllm.exceptions import VLLMClientError

    try:
        return [_read(output) for output in run(inputs, params, use_tqdm=False)]
    except (VLLMClientError, ValueError) as error:
        if len(inputs) == 1:
            return [Answer(None, f"refused by vLLM: {_line(error)}")]
    except Exception as error:  # an engine that died says so in many ways
        raise ServiceError(f"vLLM's engine failed: {_line(error)}") from error
    return [_run(run, [one], [its])[0] for one, its in zip(inputs, params, strict=True)]


def _read(output: Any) -> Answer:
    said = output.outputs[0]
    usage = Usage(len(output.prompt_token_ids or ()), len(said.token_ids))
    if said.finish_reason not in ("stop", "length"):
        return Answer(None, f"bad answer: vLLM ended it by {said.finish_reason!r}", usage=usage)
    return Answer(said.text, cut=said.finish_reason == "length", usage=usage)


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
