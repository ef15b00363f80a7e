"""Who is in which arm is the shop's say: every list is logged with its arm, and no request can choose it."""

from __future__ import annotations

from tools.experiment import ExperimentConfig, assigned, with_experiment

CONFIG = ExperimentConfig.model_validate(
    {
        "id": "look",
        "arms": {"plain": {}, "other": {"pipeline": {"rules": [{"name": "n", "do": "hide", "items": ["V01"]}]}}},
    }
)


def test_lists_are_logged_with_their_arm(make, shop, registry):
    running = with_experiment(shop, CONFIG)
    client = make.client(make.service(running, registry))
    for n in range(6):
        who = {"user_id": f"u{n}", "session_id": "s-1"}
        for path, body in (("recommendations", {}), ("search", {"query": "blue vase"})):
            answer = client.post(f"/v1/{path}", json={**who, **body, "top_n": 3}).json()
            assert shop.events.slate(answer["request_id"]).assignment == assigned(CONFIG, f"u{n}", "s-1")
    guest = client.post("/v1/recommendations", json={"session_id": "s-2", "top_n": 3}).json()
    drawn = shop.events.slate(guest["request_id"]).assignment
    assert drawn == assigned(CONFIG, None, "s-2") and drawn.by == "session"
    stranger = client.post("/v1/recommendations", json={"top_n": 3}).json()
    assert shop.events.slate(stranger["request_id"]).assignment is None


def test_no_request_chooses_its_arm(make, shop, registry):
    client = make.client(make.service(with_experiment(shop, CONFIG), registry))
    body = {"user_id": "ana", "session_id": "s-1", "top_n": 3}
    for name in ("arm", "experiment", "assignment"):
        assert client.post("/v1/recommendations", json={**body, name: "other"}).status_code == 422
    answers = [
        client.post("/v1/recommendations", json=body, params={"arm": arm}, headers={"X-Arm": arm}).json()
        for arm in ("plain", "other")
    ]
    arms = {shop.events.slate(answer["request_id"]).assignment.arm for answer in answers}
    assert arms == {assigned(CONFIG, "ana", None).arm}
