"""What a model's config.json says of its size: what it takes of a GPU, how wide its vectors are, how it calls tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from vitrine.real.config import Role

_TOOL_PARSERS = (("gpt_oss", "openai"), ("qwen3_coder", "qwen3_xml"), ("llama", "llama3_json"), ("mistral", "mistral"))
"""Kind of model -> dialect of its tool calls; all others write what `hermes` reads (Qwen2.5, Qwen3, Qwen3-VL)."""
_BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
_EIGHT_BIT, _FOUR_BIT = ("fp8", "compressed-tensors", "int8"), ("awq", "gptq", "bitsandbytes")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One model as its files describe it.

    Attributes:
        name: What captions and health call it.
        kind: `model_type` of the language model.
        weights: Bytes.
        parameters: How many there are, and how many of them work on a token (experts).
        active: Those that work on one token.
        layers: Of the language model.
        kv_heads: Heads that hold keys and values.
        head_dim: Width of one.
        width: Of its vectors.
        positions: Tokens it reads at most.
        sees: Whether it takes pictures.
        thinks: Whether its template asks whether to think.
    """

    name: str
    kind: str
    weights: int
    parameters: float
    active: float
    layers: int
    kv_heads: int
    head_dim: int
    width: int
    positions: int
    sees: bool
    thinks: bool

    @property
    def token_bytes(self) -> int:
        """Bytes of KV cache that one token takes: key and value, in bfloat16."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 2

    @property
    def tool_parser(self) -> str:
        """How it writes tool calls."""
        return next((parser for part, parser in _TOOL_PARSERS if part in self.kind), "hermes")


def checkpoint(name: str, config: Mapping[str, Any], weights: int, template: str = "") -> Checkpoint:
    """Return what a config.json says.

    Args:
        name: What the model is called.
        config: The whole of config.json.
        weights: Bytes of its safetensors.
        template: Its chat template, where it is known.

    Raises:
        ConfigError: When it is the configuration of no language model.
    """
    text: Mapping[str, Any] = config.get("text_config") or config
    try:
        layers, heads, width = (
            int(text[key]) for key in ("num_hidden_layers", "num_attention_heads", "hidden_size")
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"config.json of {name!r} names no num_hidden_layers, num_attention_heads or hidden_size; that of a "
            "language model such as Qwen3 would be valid"
        ) from error
    parameters = weights / _bytes_each(config)
    return Checkpoint(
        name=name,
        kind=str(text.get("model_type") or config.get("model_type") or "?"),
        weights=weights,
        parameters=parameters,
        active=parameters * _active_share(text),
        layers=layers,
        kv_heads=int(text.get("num_key_value_heads") or heads),
        head_dim=int(text.get("head_dim") or width // heads),
        width=width,
        positions=int(text.get("max_position_embeddings") or 4096),
        sees="vision_config" in config,
        thinks="enable_thinking" in template,
    )


def read_checkpoint(name: str, folder: Path) -> Checkpoint:
    """Return what a folder says of its model.

    Raises:
        ConfigError: When it holds no weights, or no language model.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{str(folder / 'config.json')!r} is no JSON: {error}") from error
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if not weights:
        raise ConfigError(f"folder {str(folder)!r} holds no *.safetensors; a whole checkpoint would be valid")
    templates = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
    files = [folder / each for each in templates if (folder / each).is_file()]
    return checkpoint(name, config, weights, "".join(path.read_text(encoding="utf-8") for path in files))


def require_role(found: Checkpoint, role: Role) -> None:
    """Refuse a model that cannot do its job.

    Raises:
        ConfigError: When a captioner takes no pictures.
    """
    if role == "captions" and not found.sees:
        raise ConfigError(
            f"--captioner {found.name!r} takes no pictures (its config.json has no vision_config); a vision-language "
            "model such as Qwen/Qwen3-VL-8B-Instruct, or 'pixels', would be valid"
        )


def _bytes_each(config: Mapping[str, Any]) -> float:
    """Return the bytes of a parameter on disk."""
    method = str((config.get("quantization_config") or {}).get("quant_method", ""))
    if method in _EIGHT_BIT:
        return 1.15  # embeddings, head and vision tower stay in bf16
    if method in _FOUR_BIT:
        return 0.75
    text = config.get("text_config") or {}
    named = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype")
    return _BYTES.get(str(named), 2.0)


def _active_share(text: Mapping[str, Any]) -> float:
    """Return the share of the parameters that work on a token; experts hold nineteen twentieths where there are any."""
    experts = int(text.get("num_experts") or text.get("num_local_experts") or 0)
    each = int(text.get("num_experts_per_tok") or 0)
    return 0.05 + 0.95 * each / experts if experts and each else 1.0
