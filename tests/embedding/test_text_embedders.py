"""The contract every `TextEmbedder` keeps, and what is particular to each."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import ServiceError
from catalog.nouns import Item
from embedding.item_text import item_text
from embedding.minilm import MiniLM, MiniLMConfig
from embedding.openai_compatible import OpenAIEmbedder, OpenAIEmbedderConfig
from embedding.scripted_server import EmbeddingServer

TEXTS = ["a red mug", "", "ein blaues Kleid", "a red mug", "x " * 400]
DATA = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


@pytest.fixture(scope="module")
def minilm():
    return MiniLM(MiniLMConfig(threads=1))


def client(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "dim": server.dim, "retries": 2, **changes}
    return OpenAIEmbedder(OpenAIEmbedderConfig(**settings))


@pytest.fixture(params=["minilm", "openai"])
def embedder(request):
    if request.param == "minilm":
        yield request.getfixturevalue("minilm")
    else:
        with EmbeddingServer(dim=12) as server:
            yield client(server, batch_size=2)


def test_shape_type_and_length_one(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_order_is_that_of_the_texts_and_a_vector_does_not_depend_on_its_company(embedder):
    together = embedder.embed(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal(embedder.embed([text])[0], vector)
    assert np.array_equal(together[0], together[3]) and not np.array_equal(together[0], together[2])


def test_no_texts(embedder):
    assert embedder.embed([]).shape == (0, embedder.dim)


def test_minilm_understands(minilm):
    mug, cup, tractor = minilm.embed(["a red coffee mug", "crimson cup for coffee", "agricultural tractor"])
    assert mug @ cup > 0.6 > 0.35 > mug @ tractor


def test_minilm_in_batches_agrees_with_one_by_one(minilm):
    batched = MiniLM(MiniLMConfig(batch_size=4))
    assert batched.embed(TEXTS) == pytest.approx(minilm.embed(TEXTS), abs=1e-5)


@pytest.mark.realdata
def test_minilm_gives_the_published_vectors_of_the_films(minilm):
    if not (DATA / "movies" / "text_feat.npy").exists():
        pytest.skip(f"no films under {DATA}")
    golden = np.load(DATA / "movies" / "text_feat.npy")[:40]
    with (DATA / "movies" / "items.jsonl").open() as file:
        films = [json.loads(next(file)) for _ in range(40)]
    texts = [
        item_text(
            Item(f["item_id"], title=f["title"], categories=tuple(f["genres"] or ()), description=f["description"])
        )
        for f in films
    ]
    cosine = (minilm.embed(texts) * golden).sum(axis=1)
    assert cosine.min() > 0.999


def test_vectors_come_from_the_server_whatever_order_it_answers_in():
    with EmbeddingServer(dim=5) as server:
        vectors = client(server, batch_size=3, instruction="query: ").embed(["a", "b", "c", "d"])
        raw = np.array([server.vector(f"query: {t}") for t in "abcd"])
    assert vectors == pytest.approx(raw / np.linalg.norm(raw, axis=1, keepdims=True), abs=1e-6)
    assert sorted(len(r["input"]) for r in server.requests) == [1, 3]


def test_a_passing_fault_is_retried():
    with EmbeddingServer(dim=5, script=["429", "503"]) as server:
        assert client(server).embed(["a"]).shape == (1, 5)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("act", "line", "retryable"),
    [
        ("500", "answered 500", True),
        ("404", "answered 404", False),
        ("short", "1 vectors for 2 texts", False),
        ("wide", r"width \[6\], the configuration says dim=5", False),
        ("zero", "zero or not finite", False),
    ],
)
def test_faults_are_one_line_that_names_server_and_model(act, line, retryable):
    with (
        EmbeddingServer(dim=5, script=[act]) as server,
        pytest.raises(ServiceError, match=f"model 'tiny'.*{line}") as caught,
    ):
        client(server, retries=0).embed(["a", "b"])
    assert caught.value.retryable is retryable


def test_nobody_listening():
    with EmbeddingServer(dim=5) as server:
        pass
    with pytest.raises(ServiceError, match="cannot be reached"):
        client(server, retries=0).embed(["a"])
