"""Checkpoints of random weights, under a megabyte, that the real loading code opens: they prove the path alone.

Built in about a second, without a hub. Nothing that reads them should be asked what it understood.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embedding.torch_running import quiet_loading

_WORDS = ["a red summer dress with short sleeves", "round blue mug for tea", "Instruct: Query: 0 1 2 3 . , \n"] * 20


def tiny_tokenizer(folder: Path, *, eos_last: bool = True) -> Any:
    """Write a byte-level tokenizer; with `eos_last` it ends every text as Qwen3-Embedding's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_WORDS, trainer)
    if eos_last:
        ends = [("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))]
        tokenizer.post_processor = processors.TemplateProcessing(single="$A <|endoftext|>", special_tokens=ends)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>", model_max_length=128
    )
    fast.save_pretrained(folder)
    return fast


def tiny_decoder(folder: Path, *, eos_last: bool = True, dim: int = 32) -> Path:
    """Write a two-layer Qwen3 with its tokenizer and return the folder."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = tiny_tokenizer(folder, eos_last=eos_last)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=dim, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=64, max_position_embeddings=128, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen3ForCausalLM(config)  # type: ignore[no-untyped-call]
        for weights in model.parameters():
            if weights.dim() > 1:
                torch.nn.init.normal_(weights, std=0.3)
    with quiet_loading():
        model.save_pretrained(folder)
    return folder


def tiny_sentence(folder: Path, *, pooling: str = "lasttoken", prompts: dict[str, str] | None = None) -> Path:
    """Write a sentence-transformers model over `tiny_decoder`, with a prompt for queries, and return the folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    base = folder / "base"
    tiny_decoder(base)
    transformer = Transformer(str(base))
    modules = [transformer, Pooling(transformer.get_embedding_dimension(), pooling), Normalize()]
    named = prompts if prompts is not None else {"query": "Instruct: find it\nQuery:", "document": ""}
    SentenceTransformer(modules=modules, prompts=named, device="cpu").save(str(folder / "whole"))
    return folder / "whole"


def tiny_clip(folder: Path, *, size: int = 32, dim: int = 16) -> Path:
    """Write an open_clip model (a small ViT and a small text tower) as a local folder and return it."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    model = {
        "embed_dim": dim,
        "vision_cfg": {"image_size": size, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": {}}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        clip = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(
        {name: value.contiguous() for name, value in clip.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return folder
