"""Tiny Qwen-VL checkpoints of random weights: every file of a real one, under 2 MB, made in a second.

They prove the path and nothing of the quality: their words are noise, and the caption checks and the probe must
refuse them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from embedding.torch_running import quiet_loading

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Architecture = Literal["qwen2_5_vl", "qwen3_vl"]
PATCH: dict[Architecture, int] = {"qwen2_5_vl": 14, "qwen3_vl": 16}
"""Pixels of a patch's side."""
SPREAD = 0.3
"""Of the weights; with the usual 0.02 a model of tied embeddings repeats its last word, whatever it sees."""

TERSE: Mapping[str, float] = {'"': 10.0, "<|im_end|>": 8.0}
"""Strings of a few tokens, and answers that end by themselves."""
_STEADY = 8.0
"""Of the channel that every token carries unchanged through all layers, which `leaning` is read from."""

_SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip
_ADDED = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]

CHAT_TEMPLATE = r"""{%- if tools %}
{{- '<|im_start|>system\n' }}{% if messages[0].role == 'system' %}{{- messages[0].content }}{% endif %}
{{- "\n# Tools\n<tools>" }}{%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
{{- "\n</tools>\nReturn <tool_call>\n{\"name\": ..., \"arguments\": ...}\n</tool_call><|im_end|>\n" }}
{%- endif %}
{%- for m in messages %}
{%- if not (tools and loop.first and m.role == 'system') %}
{{- '<|im_start|>' + m.role + '\n' }}
{%- if m.content is string %}{{- m.content }}
{%- elif m.content %}{%- for c in m.content %}
{%- if c.type == 'image' or 'image' in c or 'image_url' in c %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif c.type == 'video' or 'video' in c %}{{- '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- elif 'text' in c %}{{- c.text }}{%- endif %}{%- endfor %}{%- endif %}
{%- if m.tool_calls %}{%- for t in m.tool_calls %}
{{- '<tool_call>\n{"name": "' + t.function.name + '", "arguments": ' }}
{{- t.function.arguments if t.function.arguments is string else (t.function.arguments | tojson) }}
{{- '}\n</tool_call>' }}{%- endfor %}{%- endif %}
{{- '<|im_end|>\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""
"""The turns of Qwen's own template, with its tools."""

_CORPUS = [
    "a red summer dress with short sleeves",
    "a person cooking pasta in a kitchen, close shot",
    "describe the item in one or two plain sentences",
    "user assistant system tool name arguments query result items 0 1 2 3 4 5 6 7 8 9 {} [] : , \" '",
]


def build_tiny_checkpoint(
    folder: Path,
    architecture: Architecture = "qwen2_5_vl",
    seed: int = 0,
    leaning: Mapping[str, float] | None = None,
    read: Sequence[str] = (),
) -> Path:
    """Write config, weights, tokenizer, processor and chat template into `folder` and return it.

    Heads are 64 wide, the least that vLLM's attention on a CPU takes.

    Args:
        folder: Where the files go.
        architecture: Of which family.
        seed: Of the weights.
        leaning: Logits of single tokens, the same wherever they stand; what is no token yet becomes one. Without any,
            noise hardly ever says the one quote that would end a string, and no answer held to a JSON schema ends;
            `TERSE` is meant for that.
        read: Texts whose words are tokens as well, so that long prompts made of them take few; twice as many are read.
    """
    import torch
    import transformers

    tokenizer = _tokenizer(read, leaning or {})
    text: dict[str, Any] = {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": 128,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 16384 if read else 8192,
        "tie_word_embeddings": not leaning,
        "initializer_range": SPREAD,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    patch = PATCH[architecture]
    vision: dict[str, Any] = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 128,
        "initializer_range": SPREAD, "patch_size": patch, "spatial_merge_size": 2, "temporal_patch_size": 2,
    }  # fmt: skip
    if architecture == "qwen2_5_vl":
        names = "Qwen2_5_VLConfig", "Qwen2_5_VLForConditionalGeneration", "Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"
        text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]}}
        vision |= {"window_size": 8 * patch, "fullatt_block_indexes": [1], "tokens_per_second": 2}
    else:
        names = "Qwen3VLConfig", "Qwen3VLForConditionalGeneration", "Qwen3VLProcessor", "Qwen3VLVideoProcessor"
        sections = {"mrope_section": [12, 10, 10], "mrope_interleaved": True}
        text |= {"head_dim": 64, "rope_parameters": {"rope_type": "default", "rope_theta": 5e6, **sections}}
        vision |= {"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
    config_class, model_class, processor_class, video_class = (getattr(transformers, name) for name in names)
    special = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(token)
        for name, token in (
            ("image", "<|image_pad|>"), ("video", "<|video_pad|>"),
            ("vision_start", "<|vision_start|>"), ("vision_end", "<|vision_end|>"),
        )
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = config_class(text_config=text, vision_config=vision, tie_word_embeddings=not leaning, **special)
        model = model_class(config)
        if leaning:
            known = tokenizer.get_vocab()
            _lean(model, {known[token]: logit for token, logit in leaning.items()})
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    with quiet_loading():
        model.save_pretrained(folder)
    square = {"patch_size": patch, "temporal_patch_size": 2, "merge_size": 2}
    area = (2 * patch) ** 2
    images = transformers.Qwen2VLImageProcessor(min_pixels=4 * area, max_pixels=16 * area, **square)
    videos = video_class(size={"shortest_edge": 4 * area, "longest_edge": 128 * area}, **square)
    processor = processor_class(
        image_processor=images, tokenizer=tokenizer, video_processor=videos, chat_template=CHAT_TEMPLATE
    )
    processor.save_pretrained(folder)
    return folder


def _lean(model: Any, logits: Mapping[int, float]) -> None:
    """Give single tokens a constant logit, though the architecture has no bias to put it into."""
    import torch

    words = model.model.language_model
    with torch.no_grad():
        words.embed_tokens.weight[:, 0] = _STEADY
        for layer in words.layers:
            layer.self_attn.o_proj.weight[0] = 0
            layer.mlp.down_proj.weight[0] = 0
        model.lm_head.weight[:, 0] = 0
        some = torch.randint(words.config.vocab_size, (1, 64))
        steady = words(inputs_embeds=words.embed_tokens(some)).last_hidden_state[..., 0].mean()
        for token, logit in logits.items():
            model.lm_head.weight[token] = 0
            model.lm_head.weight[token, 0] = logit / steady


def _tokenizer(read: Sequence[str], tokens: Iterable[str]) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learned.train_from_iterator(
        [*_CORPUS * 20, *read],
        trainers.BpeTrainer(
            vocab_size=3000 if read else 1000, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=learned,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=_SPECIAL[1:],
        model_max_length=8192,
    )
    tokenizer.add_tokens([*_ADDED, *(token for token in tokens if token not in tokenizer.get_vocab())])
    tokenizer.image_token, tokenizer.video_token = "<|image_pad|>", "<|video_pad|>"
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
