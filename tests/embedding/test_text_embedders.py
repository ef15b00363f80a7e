"""The contract every `TextEmbedder` keeps, and what is particular to MiniLM and to servers."""

import copy
import importlib.util
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import ConfigError, ServiceError
from catalog.nouns import Item
from embedding.decoder import Decoder, DecoderConfig
from embedding.item_text import item_text
from embedding.minilm import MiniLM, MiniLMConfig
from embedding.openai_compatible import OpenAIEmbedder, OpenAIEmbedderConfig
from embedding.scripted_server import EmbeddingServer
from embedding.sentence import Sentence, SentenceConfig
from embedding.tiny_models import tiny_decoder, tiny_sentence
from embedding.vllm_pooling import VllmPooling, VllmPoolingConfig

TEXTS = ["a red mug", "", "ein blaues Kleid", "a red mug", "x " * 400]
DATA = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
WISH = "Instruct: find it\nQuery:"


@pytest.fixture(scope="module")
def minilm():
    return MiniLM(MiniLMConfig(threads=1))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    return {"decoder": tiny_decoder(root / "decoder"), "sentence": tiny_sentence(root / "sentence")}


def client(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "dim": server.dim, "retries": 2, **changes}
    return OpenAIEmbedder(OpenAIEmbedderConfig(**settings))


def decoder(folders, **changes):
    settings = {"model": str(folders["decoder"]), "batch_size": 1, "max_tokens": 64, "query_instruction": WISH}
    return Decoder(DecoderConfig(**{**settings, **changes}))


def sentence(folders, **changes):
    return Sentence(SentenceConfig(**{"model": str(folders["sentence"]), "batch_size": 1, **changes}))


@pytest.fixture(params=["minilm", "openai", "decoder-last", "decoder-mean", "sentence", "vllm"])
def embedder(request):
    if request.param == "minilm":
        yield request.getfixturevalue("minilm")
    elif request.param == "openai":
        with EmbeddingServer(dim=12) as server:
            yield client(server, batch_size=2, query_instruction=WISH)
    elif request.param == "vllm":
        if importlib.util.find_spec("vllm") is None:
            pytest.skip("vllm is not installed here; its own stage runs it")
        config = {"model": str(request.getfixturevalue("folders")["decoder"]), "dtype": "float32", "max_tokens": 64}
        yield VllmPooling(VllmPoolingConfig(**config, convert="embed", batch_size=1, enforce_eager=True))
    elif request.param == "sentence":
        yield sentence(request.getfixturevalue("folders"))
    else:
        yield decoder(request.getfixturevalue("folders"), pooling=request.param.removeprefix("decoder-"))


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
    assert embedder.embed([]).shape == (0, embedder.dim) == embedder.embed_queries([]).shape
    assert embedder.embed_counted([]).tokens == ()


def test_queries_are_vectors_of_the_same_space(embedder, minilm):
    queries = embedder.embed_queries(TEXTS)
    assert queries.shape == (len(TEXTS), embedder.dim) and queries.dtype == np.float32
    assert np.linalg.norm(queries, axis=1) == pytest.approx(1, abs=1e-5)
    asked_alike = np.array_equal(queries, embedder.embed(TEXTS))
    assert asked_alike is (embedder is minilm), "a model with an instruction for queries must read it"


def test_what_was_read_is_counted(embedder):
    found = embedder.embed_counted(TEXTS)
    assert np.array_equal(found.vectors, embedder.embed(TEXTS))
    assert len(found.tokens) == len(found.cut) == len(TEXTS) and sum(found.tokens) > 20
    assert not any(found.cut[:4])
    counter = embedder.counter()
    if counter is not None:
        assert found.cut[4] and found.tokens[4] == max(found.tokens) >= counter.limit
        assert counter.count(TEXTS[0]) <= found.tokens[0] <= counter.count(TEXTS[0]) + 2
        assert counter.at_most("漢字 mug") >= counter.count("漢字 mug")


def test_it_is_sent_as_its_settings_and_loads_anew(embedder):
    before = embedder.embed(TEXTS[:1])
    there = copy.deepcopy(embedder)  # by `__reduce__`, as between processes
    assert (there.name, there.model, there.dim) == (embedder.name, embedder.model, embedder.dim)
    assert "_encoder" not in vars(there) and "_model" not in vars(there) and "_client" not in vars(there)
    assert np.array_equal(there.embed(TEXTS[:1]), before)


def test_threads_may_share_it(embedder):
    expected = embedder.embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(embedder.embed, [TEXTS] * 6):
            assert np.array_equal(found, expected)


def test_minilm_understands(minilm):
    mug, cup, tractor = minilm.embed(["a red coffee mug", "crimson cup for coffee", "agricultural tractor"])
    assert mug @ cup > 0.6 > 0.35 > mug @ tractor


def test_minilm_in_batches_agrees_with_one_by_one(minilm):
    batched = MiniLM(MiniLMConfig(batch_size=4))
    assert batched.embed(TEXTS) == pytest.approx(minilm.embed(TEXTS), abs=1e-5)


def test_minilm_alone_is_what_the_library_gives_before_and_after(minilm):
    texts = ["a blue mug", "", " ", "Ä ö 漢字", "a lamp for the desk " * 8, "x " * 2_000]
    apart = MiniLM(minilm.config)

    def theirs():
        return apart._encoder.encode(texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False)

    untouched = theirs()
    np.testing.assert_allclose(apart.embed(texts), untouched, atol=1e-6)
    np.testing.assert_allclose(theirs(), untouched, atol=1e-6)  # its weights lie in another order by now


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


def test_queries_are_sent_under_their_own_instruction():
    with EmbeddingServer(dim=5) as server:
        client(server, instruction="passage: ", query_instruction="query: ").embed_queries(["mug"])
        client(server, instruction="both: ").embed_queries(["mug"])
    assert [request["input"] for request in server.requests] == [["query: mug"], ["both: mug"]]


def test_base64_is_the_same_numbers():
    with EmbeddingServer(dim=5) as server:
        plain, packed = client(server).embed(["a", "b"]), client(server, encoding="base64").embed(["a", "b"])
    assert np.array_equal(plain, packed)
    assert [request["encoding_format"] for request in server.requests] == ["float", "base64"]


def test_fewer_dimensions_are_asked_for_only_where_the_settings_say_so():
    with EmbeddingServer(dim=8) as server:
        vector = client(server, dim=3, ask_dimensions=True).embed(["a"])[0]
        head = np.array(server.vector("a")[:3])
        client(server).embed(["a"])
    assert vector == pytest.approx(head / np.linalg.norm(head), abs=1e-6)
    assert server.requests[0]["dimensions"] == 3 and "dimensions" not in server.requests[1]


def test_tokens_of_a_request_are_spread_over_its_texts():
    with EmbeddingServer(dim=5) as server:
        assert client(server).embed_counted(["a b c", "d", "e f g h"]).tokens == (3, 3, 2)


def test_a_text_too_long_for_the_server_is_cut_and_counted_and_its_company_is_whole():
    texts = ["one two", "w " * 40, "three four five", ""]
    with EmbeddingServer(dim=5, max_words=8) as server:
        found = client(server).embed_counted(texts)
        alone = client(server).embed(["one two", "three four five", " "])
    assert found.cut == (False, True, False, False) and found.tokens[1] == 5
    assert np.array_equal(found.vectors[[0, 2, 3]], alone)


def test_a_passing_fault_is_retried():
    with EmbeddingServer(dim=5, script=["429", "503"]) as server:
        assert client(server).embed(["a"]).shape == (1, 5)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("act", "line", "retryable"),
    [
        ("500", "answered 500", True),
        ("404", "answered 404", False),
        ("400 no such model", "answered 400: .*no such model", False),
        ("short", "1 vectors for 2 texts", False),
        ("wide", r"width \[6\], the configuration says dim=5", False),
        ("zero", r"a vector is zero \(text 0 of 2\)", False),
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


def test_vllm_says_what_is_missing_when_asked_for_vectors(folders):
    if importlib.util.find_spec("vllm") is not None:
        pytest.skip("vllm is installed here")
    embedder = VllmPooling(VllmPoolingConfig(model=str(folders["decoder"])))
    assert embedder.dim == 32 and embedder.model.startswith("decoder@")
    with pytest.raises(ConfigError, match=r"'vllm', which is not installed: pip install -e '.\[gpu\]'"):
        embedder.embed(["a"])
