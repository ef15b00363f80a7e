"""Text vectors through a real vLLM server, beside the same model read by transformers."""

import numpy as np
import pytest

from catalog.errors import ServiceError
from embedding.decoder import Decoder, DecoderConfig
from embedding.openai_compatible import OpenAIEmbedder, OpenAIEmbedderConfig

TEXTS = ["a red summer dress", "round blue mug for tea", "short sleeves", "a mug"]


def embedder(server, **changes):
    return OpenAIEmbedder(OpenAIEmbedderConfig(**{"base_url": server.base_url, "model": "tiny", "dim": 32, **changes}))


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_are_those_of_transformers(embedding_server, checkpoints, encoding):
    found = embedder(embedding_server, encoding=encoding, batch_size=3).embed_counted(TEXTS)
    same = Decoder(DecoderConfig(model=str(checkpoints["qwen3_embedding"]))).embed(TEXTS)
    cosines = found.vectors @ same.T
    assert np.diag(cosines) == pytest.approx(np.ones(len(TEXTS)), abs=2e-3)  # bfloat16 beside float32
    assert (cosines - np.diag(np.diag(cosines))).max() < 0.9
    assert sum(found.tokens) >= len(TEXTS) and not any(found.cut)


def test_a_text_too_long_is_cut_until_the_server_takes_it_and_costs_the_others_nothing(embedding_server):
    found = embedder(embedding_server).embed_counted(["tea " * 400, TEXTS[0]])
    assert found.cut == (True, False) and 32 < found.tokens[0] <= 128
    assert found.vectors[1] @ embedder(embedding_server).embed(TEXTS[:1])[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "tino"}, "The model `tino` does not exist"),
        ({"dim": 16, "ask_dimensions": True}, "does not support Matryoshka"),
        ({"dim": 16}, r"vectors of width \[32\], the configuration says dim=16"),
    ],
)
def test_what_the_server_refuses_is_one_line(embedding_server, changes, said):
    with pytest.raises(ServiceError, match=said) as raised:
        embedder(embedding_server, **changes).embed(TEXTS)
    assert "\n" not in str(raised.value) and "{" not in str(raised.value)
