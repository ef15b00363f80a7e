"""The intents job: rows with their moments, resumed, counted, read again only where something changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from batch.local import LocalEngine
from captioning.intents.job import extract_intents, load_intents, plan_intents, refused_intents
from captioning.intents.llm import LlmIntents, LlmIntentsConfig
from captioning.intents.scripted_server import IntentServer
from captioning.intents.sources import shop_texts
from captioning.intents.training import IntentTrainingConfig
from captioning.intents.training_job import trained_intents
from catalog.errors import NotBuiltError, NothingToDo
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ITEMS = [Item("m", title="Blue mug", attributes={"material": ("ceramic",)}), Item("v", title="Red vase")]


def event(number, kind, item="m", user="ann", text=None, value=None, query=None, session=None):
    context = {"query": query} if query else {}
    at = NOON + timedelta(days=number)
    return Interaction(f"e{number}", user, item, at, kind, session, value, text, context)


EVENTS = [
    event(0, "view", query="blue mug", session="s1"),
    event(1, "view", item="v", query="blue mug", session="s1"),
    event(2, "rating", text="The handle is lovely.", value=5.0),
    event(3, "rating", text="The handle is lovely.", value=5.0, user="bob"),
    event(4, "complaint", text="The box was crushed.", user="bob"),
    event(5, "return", item="v", text="The colour was wrong."),
    event(6, "cart", text="I am looking for a bowl for my wife, under 20 euros."),
    event(7, "rating", text="   ", value=3.0),
]


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    save_shop(workspace, ShopData.of("small", ITEMS, log_frame(EVENTS)))
    return workspace


def test_texts_of_the_log(workspace):
    texts = shop_texts(workspace)
    assert texts.select("event_id", "source", "stars").rows() == [
        ("e2", "review", 5.0),
        ("e3", "review", 5.0),
        ("e4", "complaint", None),
        ("e5", "return", None),
        ("e6", "call", None),
        ("e0", "query", None),  # once a session, at its first event
    ]


def test_every_row_has_its_moment_and_its_evidence(workspace):
    ready = trained_intents(workspace)
    report = extract_intents(workspace, ready.extractor, engine=LocalEngine())
    found = load_intents(workspace, "trained")
    told = found.select("event_id", "user_id", "item_id", "source", "kind", "value", "amount").rows()
    assert ("e3", "bob", "m", "review", "praised", "handle", None) in told
    assert ("e4", "bob", "m", "complaint", "complained_of", "box", None) in told
    assert ("e5", "ann", "v", "return", "returned", "colour", None) in told
    assert ("e6", "ann", "m", "call", "budget", "under 20 euros", 20.0) in told
    assert ("e6", "ann", "m", "call", "recipient", "my wife", None) in told
    texts = {(row["event_id"], row["source"]): row for row in shop_texts(workspace).iter_rows(named=True)}
    for row in found.iter_rows(named=True):
        source = texts[row["event_id"], row["source"]]
        assert row["timestamp"] == source["timestamp"]
        assert source["text"][row["start"] : row["end"]].casefold() == row["value"]
    assert (report.done, report.duplicates, report.failed) == (6, 1, 0)
    again = extract_intents(workspace, ready.extractor, engine=LocalEngine())
    assert (again.done, again.reused, again.key) == (0, 6, report.key)


def test_the_encoder_is_trained_once_and_again_when_asked(workspace):
    first = trained_intents(workspace)
    assert "learned from" in first.line
    assert trained_intents(workspace).line == "encoders/intents: already current"
    assert "learned from" in trained_intents(workspace, again=True).line
    other = trained_intents(workspace, IntentTrainingConfig(as_of=NOON + timedelta(days=3)))
    assert other.extractor.settings_sha != first.extractor.settings_sha
    manifest = workspace.manifest("encoders/intents")
    assert manifest is not None and manifest.meta["texts"] == 2  # one search, and one review of two shoppers


def test_a_limit_leaves_the_rest_for_later(workspace):
    extractor = trained_intents(workspace).extractor
    assert extract_intents(workspace, extractor, engine=LocalEngine(), limit=2).pending > 0
    assert plan_intents(workspace, extractor).text().startswith("intents/trained")
    assert extract_intents(workspace, extractor, engine=LocalEngine()).pending == 0


def test_refused_answers_are_counted_and_failures_tried_again(workspace):
    with IntentServer(["invented", "babble"]) as server:
        extractor = LlmIntents(LlmIntentsConfig(base_url=server.base_url, model="m", retries=0, concurrency=1))
        report = extract_intents(workspace, extractor, engine=LocalEngine())
        assert report.failures == {"form": 1}
        assert refused_intents(workspace, "llm") == {"not verbatim": 2}  # one answer, for two shoppers' same words
        healed = extract_intents(workspace, extractor, engine=LocalEngine())
    assert (healed.done, healed.failed) == (1, 0)
    assert len(server.requests) == 6
    assert load_intents(workspace, "llm").filter(pl.col("source") == "query")["kind"].to_list() == ["sought"]


def test_a_silent_shop_has_nothing_to_do(tmp_path):
    workspace = Workspace(tmp_path)
    save_shop(workspace, ShopData.of("silent", ITEMS, log_frame([event(0, "view")])))
    with pytest.raises(NothingToDo, match="none of the 1 events"):
        shop_texts(workspace)


def test_intents_that_were_never_read(workspace):
    with pytest.raises(NotBuiltError, match="vitrine intents"):
        load_intents(workspace, "trained")
