from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from agent.config import AgentConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.wording import NEW_SHOPPER
from api.config import ApiConfig
from api.keys import load_keys
from catalog.errors import EventStoreError, NotFoundError
from catalog.nouns import Interaction
from catalog.tenancy import acting_for
from tools.doubles import toy_shop
from tools.registry import Registry


@pytest.fixture
def own(make, tmp_path):
    """A shop of its own, since events stay."""
    shop = toy_shop(tmp_path)
    yield shop, make.client(make.service(shop, Registry(shop)))
    shop.events.close()


def event(n: int, **more):
    return {"event_id": f"e-{n}", "user_id": "dora", "item_id": "V01", "kind": "click", **more}


def test_a_batch_may_be_sent_again(own):
    shop, client = own
    body = {"events": [event(1, timestamp="2026-03-01T10:00:00+02:00"), event(2, kind="rating", value=4.5)]}
    assert client.put("/v1/events", json=body).json() == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert client.put("/v1/events", json=body).json() == {"accepted": 0, "duplicates": 2, "rejected": []}
    kept = {e.event_id: e for e in shop.events.for_user("dora")}
    assert kept.keys() == {"e-1", "e-2"}
    assert kept["e-1"].timestamp == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert kept["e-2"].value == 4.5 and kept["e-2"].timestamp.tzinfo is not None


def test_one_id_twice_in_a_batch_counts_once(own):
    _, client = own
    body = {"events": [event(1), event(1, item_id="V02")]}
    assert client.put("/v1/events", json=body).json() == {"accepted": 1, "duplicates": 1, "rejected": []}


BAD = [
    (event(1, kind="stare"), "kind"),
    (event(1, item_id="nothing"), "item_id"),
    (event(1, item_id=7), "item_id"),
    (event(1, timestamp="yesterday"), "timestamp"),
    (event(1, timestamp="2026-03-01T10:00:00"), "timestamp"),
    (event(1, value="much"), "value"),
    (event(1, text="x" * 8001), "text"),
    (event(1, colour="blue"), "colour"),
    (event(1, user_id=None), ""),
    (event(1, text="\ud800"), "text"),
    ({"user_id": "dora", "item_id": "V01", "kind": "click"}, "event_id"),
    ("not an object", ""),
    (None, ""),
    ([], ""),
]


@pytest.mark.parametrize(("bad", "field"), BAD)
def test_a_bad_event_is_named_and_stops_nobody(own, bad, field):
    shop, client = own
    content = json.dumps({"events": [event(8), bad, event(9)]})  # keeps half a surrogate pair as JSON writes it
    answer = client.put("/v1/events", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 0)
    (rejected,) = body["rejected"]
    assert rejected["index"] == 1 and rejected["field"] == field and rejected["detail"]
    assert {e.event_id for e in shop.events.for_user("dora")} == {"e-8", "e-9"}


def test_numbers_that_are_not_finite_are_rejected(own):
    _, client = own
    events = ['{"event_id": "a", "user_id": "d", "item_id": "V01", "kind": "rating", "value": NaN}']
    events.append('{"event_id": "b", "user_id": "d", "item_id": "V01", "kind": "click", "context": {"x": [Infinity]}}')
    content = f'{{"events": [{", ".join(events)}]}}'
    body = client.put("/v1/events", content=content, headers={"Content-Type": "application/json"}).json()
    assert body["accepted"] == 0 and [r["index"] for r in body["rejected"]] == [0, 1]
    assert body["rejected"][0]["field"] == "value"


def test_a_guest_is_known_by_the_session(own):
    shop, client = own
    client.put("/v1/events", json={"events": [event(1, user_id=None, session_id="s-9", kind="dismiss")]})
    (kept,) = shop.events.for_session("s-9")
    assert kept.kind == "dismiss" and kept.item_id == "V01"


def test_a_dismissed_item_is_gone_from_the_next_recommendations(own):
    _, client = own
    body = {"session_id": "s-1", "top_n": 30}
    before = [i["item_id"] for i in client.post("/v1/recommendations", json=body).json()["recommendations"]]
    client.put(
        "/v1/events",
        json={"events": [event(1, user_id=None, session_id="s-1", kind="dismiss", item_id=before[0])]},
    )
    after = [i["item_id"] for i in client.post("/v1/recommendations", json=body).json()["recommendations"]]
    assert before[0] not in after and len(after) >= 5


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "events"), ({"events": {}}, "events"), ({"events": [], "event": []}, "event"), ([], None)],
)
def test_a_bad_batch_names_the_field(client, body, field):
    answer = client.put("/v1/events", json=body)
    assert answer.status_code == 422 and answer.json().get("field") == field


def test_a_batch_has_a_limit_and_may_be_empty(make, shop, registry):
    client = make.client(make.service(shop, registry, config=ApiConfig(max_events=2)))
    assert client.put("/v1/events", json={"events": []}).json() == {"accepted": 0, "duplicates": 0, "rejected": []}
    answer = client.put("/v1/events", json={"events": [event(n) for n in range(3)]})
    assert answer.status_code == 422 and "up to 2" in answer.json()["detail"]


def test_an_event_changes_the_next_recommendations(own):
    _, client = own
    asked = {"user_id": "dora", "session_id": "s-1", "top_n": 3, "context": {"device": "phone", "season": ["sale"]}}
    before = client.post("/v1/recommendations", json=asked).json()
    assert before["ground"] == "popularity"
    client.put("/v1/events", json={"events": [event(9, item_id="L02", kind="view", session_id="s-1")]})
    after = client.post("/v1/recommendations", json=asked).json()
    assert after["ground"] != "popularity"
    assert after["recommendations"][0]["item_id"].startswith("L")
    shown = [each["item_id"] for each in after["recommendations"]]
    client.put("/v1/events", json={"events": [event(10, item_id=shown[0], kind="dismiss", session_id="s-1")]})
    assert shown[0] not in str(client.post("/v1/recommendations", json=asked).json()["recommendations"])


def test_a_clock_that_runs_ahead_is_bounded_and_what_is_within_counts_at_once(own):
    shop, client = own
    now = datetime.now(UTC)
    ahead = {n: (now + timedelta(seconds=s)).isoformat() for n, s in enumerate((60, 3600, -3600, -11 * 366 * 86400))}
    body = client.put("/v1/events", json={"events": [event(n, timestamp=ahead[n]) for n in ahead]}).json()
    assert body["accepted"] == 2
    assert [(each["index"], each["field"]) for each in body["rejected"]] == [(1, "timestamp"), (3, "timestamp")]
    kept = {e.event_id: e.timestamp for e in shop.events.for_user("dora")}
    assert now <= kept["e-0"] <= datetime.now(UTC) and kept["e-2"] == now - timedelta(hours=1)


def test_what_was_known_before_the_clock_was_set_back_counts_and_may_be_taken_back(own):
    shop, client = own
    hour = datetime.now(UTC) + timedelta(hours=1)
    shop.events.put(
        [Interaction("e-1", "dora", "V01", hour, "dismiss"), Interaction("e-2", "dora", "M01", hour, "cart")]
    )

    def shown() -> list[str]:
        body = {"user_id": "dora", "top_n": 30}
        return [each["item_id"] for each in client.post("/v1/recommendations", json=body).json()["recommendations"]]

    assert "V01" not in shown()
    assert client.put("/v1/events", json={"events": [event(3, kind="praise"), event(4, item_id="M01", kind="dismiss")]})
    assert "V01" in shown() and "M01" not in shown()


def test_what_is_rejected_is_kept_with_its_reason(own):
    shop, client = own
    bad = [event(1, item_id="nothing"), "not an object", event(2, text="\0"), event(3, kind="\0stare")]
    rejected = client.put("/v1/events", json={"events": bad}).json()["rejected"]
    letters = {each.payload: each for each in shop.events.dead_letters()}
    assert [letters[json.dumps(raw, sort_keys=True)].reason for raw in bad] == [each["detail"] for each in rejected]
    assert {each.times for each in letters.values()} == {1}
    client.put("/v1/events", json={"events": bad[:1]})
    again = shop.events.dead_letters()[0]
    assert (again.event_id, again.user_id, again.field, again.times) == ("e-1", "dora", "item_id", 2)


def test_the_dead_letters_are_no_event(own):
    _, client = own
    refused = client.delete("/v1/events/dead-letters")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
    assert client.delete("/v1/events/dead-letters-1").json() == {"event_id": "dead-letters-1", "forgotten": False}
    assert client.get("/v1/events/dead-letters?cursor=x").status_code == 422


def test_what_a_guest_did_is_known_of_the_shopper_who_signs_in(own):
    shop, client = own
    client.put("/v1/events", json={"events": [event(1, user_id=None, session_id="s-1", item_id="L02")]})
    assert client.post("/v1/recommendations", json={"user_id": "dora", "top_n": 3}).json()["ground"] == "popularity"
    client.post("/v1/recommendations", json={"user_id": "dora", "session_id": "s-1", "top_n": 3})
    elsewhere = client.post("/v1/recommendations", json={"user_id": "dora", "session_id": "s-2", "top_n": 3}).json()
    assert elsewhere["ground"] != "popularity"
    assert [each.event_id for each in shop.events.for_user("dora")] == ["e-1"]


def test_tenants_know_nothing_of_each_other(make, own):
    shop, _ = own
    keys = load_keys({"VITRINE_API_KEYS": f"acme:{'a' * 16},rival:{'r' * 16}"})
    client = make.client(make.service(shop, Registry(shop)), keys)
    acme, rival = ({"Authorization": f"Bearer {letter * 16}"} for letter in "ar")
    asked = {"user_id": "dora", "session_id": "s-1", "top_n": 3}
    done = [event(1, item_id="L02", session_id="s-1"), event(2, kind="stare")]
    assert client.put("/v1/events", json={"events": done}, headers=acme).json()["accepted"] == 1
    first = client.post("/v1/recommendations", json=asked, headers=rival).json()
    assert first["ground"] == "popularity"
    assert client.post("/v1/recommendations", json=asked, headers=acme).json()["ground"] != "popularity"
    assert client.put("/v1/events", json={"events": done}, headers=rival).json()["accepted"] == 1
    assert client.delete("/v1/users/dora", headers=rival).json()["events"] == 1
    with acting_for("acme"):
        assert len(shop.events.for_user("dora")) == 1 and shop.events.dead_letters()[0].times == 1
    assert shop.events.for_user("dora") == []


def test_forgetting_a_shopper_leaves_nothing_and_may_be_asked_twice(own):
    shop, client = own
    client.put("/v1/events", json={"events": [event(1, session_id="s-1"), event(2, kind="stare", text="secret")]})
    shown = client.post("/v1/recommendations", json={"user_id": "dora", "session_id": "s-1"}).json()["request_id"]
    shop.events.put_trace("t-1", {"said": "secret"}, "dora")
    assert client.delete("/v1/users/dora").json() == {"user_id": "dora", "events": 1, "conversations": 0}
    assert shop.events.for_user("dora") == [] and shop.events.dead_letters() == []
    with pytest.raises(NotFoundError):
        shop.events.slate(shown)
    assert client.get("/v1/traces/t-1").status_code == 404
    assert client.delete("/v1/users/dora").json()["events"] == 0
    assert client.delete("/v1/users/a%2Fb").json()["user_id"] == "a/b"


def test_a_database_that_does_not_answer_is_503_and_nothing_is_acknowledged(own, monkeypatch):
    shop, client = own

    def away(*_):
        raise EventStoreError("event store 'postgresql://vitrine@10.0.0.7/db' does not answer: connection refused")

    for name in ("put", "trace", "told_by"):
        monkeypatch.setattr(type(shop.events), name, away)
    for answer in (
        client.put("/v1/events", json={"events": [event(1)]}),
        client.get("/v1/traces/t-1"),
        client.get("/v1/users/ana/memory"),
    ):
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "1"
        assert answer.json()["detail"] == "the events' database does not answer; try again in a moment"
        assert "10.0.0.7" not in answer.text, "where it stands is for the log"


def test_an_event_is_known_in_the_next_chat_turn(own, make):
    shop, _ = own
    agent = Agent(shop, Registry(shop), Minds(ShopPlanner(shop.catalog, shop.embedder), None), AgentConfig())
    client = make.client(make.service(shop, Registry(shop), agent))
    asked = {"message": "What would you recommend me?", "user_id": "dora", "top_n": 3}
    whole = {"Accept": "application/json"}
    before = client.post("/v1/chat", json=asked, headers=whole).json()
    client.put("/v1/events", json={"events": [event(n, item_id=i, kind="view") for n, i in enumerate(("L02", "L03"))]})
    after = client.post("/v1/chat", json={**asked, "session_id": before["session_id"]}, headers=whole).json()
    assert NEW_SHOPPER in before["disclosures"] and NEW_SHOPPER not in after["disclosures"]
    assert after["recommendations"][0]["item_id"].startswith("L")
    assert client.delete("/v1/users/dora").json()["conversations"] == 1
    for turn in (before, after):
        assert client.get(f"/v1/traces/{turn['trace_id']}").status_code == 404
