"""An embedding server that answers anything at all: one line that says what came, or a failure of its item."""

import json

import numpy as np
import pytest

from catalog.errors import ServiceError
from embedding.item_text import Fitted
from embedding.job import Embedding
from embedding.openai_compatible import OpenAIEmbedder, OpenAIEmbedderConfig
from embedding.scripted_server import EmbeddingServer

KEY = "sk-secret-key-123"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("VITRINE_EMBED_API_KEY", KEY)


def client(server, **changes):
    settings = {"base_url": server.base_url, "model": "tiny", "dim": server.dim, "retries": 0, "timeout_seconds": 10}
    return OpenAIEmbedder(OpenAIEmbedderConfig(**{**settings, **changes}))


def rows(*changes):
    plain = [{"index": at, "embedding": [1.0, 2.0, 3.0]} for at in range(len(changes))]
    return [row if change is None else change(row) for row, change in zip(plain, changes, strict=True)]


def given(data, **more):
    return json.dumps({"data": data, **more}).encode()


def vector(value):
    return lambda row: {**row, "embedding": value}


def index(value):
    return lambda row: {**row, "index": value}


MALFORMED = {
    "index text": (given(rows(index("a"), None)), "index is 'a'; 0 to 1 would be valid"),
    "index negative": (given(rows(index(-1), None)), "index is -1"),
    "index absent": (given(rows(lambda row: {"embedding": row["embedding"]}, None)), "index is missing"),
    "index twice": (given(rows(None, index(0))), "index 0 comes twice"),
    "vector null": (given(rows(vector(None), None)), "the vector of text 0 is null"),
    "vector text": (given(rows(vector("abc"), None)), "text 0 is a text that is no base64"),
    "vector nested": (given(rows(vector([[1.0] * 3]), None)), "text 0 holds a list"),
    "vector of words": (given(rows(vector(["x", 1, 2]), None)), "text 0 holds a text"),
    "row null": (given([None, *rows(None)]), "a row of data is null"),
    "few": (given(rows(None)), "1 vectors for 2 texts"),
    "many": (given(rows(None, None, None)), "3 vectors for 2 texts"),
    "data null": (given(None), "data is null"),
    "html": (b"<html>", "'<html>'"),
    "null": (b"null", "null where an object belongs"),
    "deep": (b"[" * 300_000, "nested too deeply"),
    "too large": (b" " * 5_000_000, "more than"),
}


@pytest.mark.parametrize("act", MALFORMED)
def test_a_malformed_answer_is_one_line_that_says_what_came(act):
    body, line = MALFORMED[act]
    with EmbeddingServer(3, [act]) as server, pytest.raises(ServiceError) as caught:
        server.bodies = {act: body}
        client(server).embed(["a", "b"])
    assert "model 'tiny'" in str(caught.value) and line in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [[0, 0, 0], [float("nan"), 1, 1], [float("inf"), 1, 1], [1e300, 1, 1], [None, 1, 1]])
def test_a_vector_that_is_none_is_a_failure_of_its_item_alone(bad):
    with EmbeddingServer(3, ["bad"]) as server:
        server.bodies = {"bad": given(rows(vector(bad), None))}
        failed, done = Embedding(client(server))([Fitted("a", False), Fitted("b", False)])
    assert failed.values is None and failed.failure == "bad vector"
    assert done.values["vector"] == pytest.approx(np.array([1, 2, 3]) / np.sqrt(14))


def test_a_batch_without_one_good_vector_stops_the_job():
    with EmbeddingServer(3, ["bad"]) as server, pytest.raises(ServiceError, match="all 4 vectors of a batch are bad"):
        server.bodies = {"bad": given(rows(*[vector([0, 0, 0])] * 4))}
        client(server).embed_counted(list("abcd"))


def test_tokens_that_cannot_be_true_count_as_none():
    with EmbeddingServer(3, ["odd"]) as server:
        server.bodies = {"odd": given(rows(None), usage={"prompt_tokens": "x"})}
        assert client(server).embed_counted(["a"]).tokens == (0,)


@pytest.mark.parametrize(
    ("act", "line", "asked"),
    [("quote", r"your key is Bearer \*\*\*", 1), ("redirect", "a redirect to", 1), ("drip", "within 0.4 s", 2)],
)
def test_the_key_stays_hidden_redirects_are_not_followed_and_time_is_bounded(act, line, asked):
    with EmbeddingServer(3, [act] * 5) as server, pytest.raises(ServiceError, match=line) as caught:
        client(server, timeout_seconds=0.4, retries=1).embed(["a"])
    assert KEY not in str(caught.value) and len(server.requests) == asked
