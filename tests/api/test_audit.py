from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from api.audit import AUDIT_FOLDER, AuditLine, AuditLog, moment, person
from api.key_file import KEY_FILE, KeyFile, Keyring
from api.keys import Keys
from tools.registry import Registry

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LINE = AuditLine("2026-03-01T12:00:00.000+00:00", "k1", "acme", "PUT /v1/items/{item_id}", "V01", 200, "r1")


@pytest.fixture
def keyed(make, service, tmp_path):
    file = KeyFile(tmp_path / KEY_FILE)
    return file, lambda: make.client(service, Keyring(Keys(), file))


def told(service, request_id: str) -> list[AuditLine]:
    log = AuditLog(service.shop.root / AUDIT_FOLDER)
    return [line for line in log.lines(datetime.now(UTC) - timedelta(hours=1)) if line.request_id == request_id]


def test_a_write_says_who_what_and_when(keyed, service):
    file, client = keyed
    secret, record = file.add("acme", ["events", "read"])
    headers = {"X-Api-Key": secret, "X-Request-Id": "audit-events-1"}
    event = {"event_id": "audited", "user_id": "ana", "item_id": "V01", "kind": "click", "text": "a secret wish"}
    assert client().put("/v1/events", json={"events": [event]}, headers=headers).json()["accepted"] == 1
    (line,) = told(service, "audit-events-1")
    assert (line.key_id, line.tenant, line.status) == (record.key_id, "acme", 200)
    assert line.action == "PUT /v1/events" and abs(datetime.now(UTC) - datetime.fromisoformat(line.at)).seconds < 60
    written = "".join(path.read_text() for path in (service.shop.root / AUDIT_FOLDER).glob("*.jsonl"))
    assert secret not in written and "secret wish" not in written and '"ana"' not in written


def test_reads_leave_no_line(keyed, service):
    file, client = keyed
    secret, _ = file.add("acme", ["admin"])
    for path in ("/v1/shop", "/v1/items/V01", "/v1/tools"):
        client().get(path, headers={"X-Api-Key": secret, "X-Request-Id": "audit-read"})
    client().post("/v1/search", json={"query": "mug"}, headers={"X-Api-Key": secret, "X-Request-Id": "audit-read"})
    assert told(service, "audit-read") == []


def test_who_was_erased_can_be_asked_and_not_read(keyed, service):
    file, client = keyed
    secret, _ = file.add("acme", ["admin"])
    headers = {"X-Api-Key": secret, "X-Request-Id": "audit-erase"}
    assert client().delete("/v1/users/bob@example.org", headers=headers).status_code == 200
    (line,) = told(service, "audit-erase")
    assert line.target == person("bob@example.org") and "bob" not in json.dumps(line.target)


def test_a_refused_write_is_a_line_as_well(keyed, service):
    file, client = keyed
    secret, record = file.add("acme", ["read"])
    headers = {"X-Api-Key": secret, "X-Request-Id": "audit-refused"}
    assert client().delete("/v1/items/V01", headers=headers).status_code == 403
    (line,) = told(service, "audit-refused")
    assert (line.key_id, line.target, line.status) == (record.key_id, "V01", 403)


def test_a_tool_leaves_a_line_when_it_wrote_and_not_when_it_asked(keyed, service, registry):
    file, client = keyed
    secret, _ = file.add("acme", ["read", "events"])
    headers = {"X-Api-Key": secret, "X-Request-Id": "audit-asked"}
    body = {"user_id": "ana", "session_id": "s1", "arguments": {"item_id": "V01", "kind": "cart"}}
    name = next(n for n, t in registry.tools.items() if t.access == "write" and not t.destructive)
    body["arguments"] = {n: {"item_id": "V01"}.get(n, "cart") for n in registry.tools[name].parameters["required"]}
    here = client()
    asked = here.post(f"/v1/tools/{name}", json=body, headers=headers)
    assert asked.status_code == 200, asked.text
    assert told(service, "audit-asked") == []
    body["confirmation"] = asked.json()["facts"]["needs_confirmation"]["confirmation"]
    done = here.post(f"/v1/tools/{name}", json=body, headers={**headers, "X-Request-Id": "audit-done"})
    assert done.status_code == 200, done.text
    (line,) = told(service, "audit-done")
    assert line.action == "POST /v1/tools/{name}" and line.target == name


@pytest.mark.parametrize("stream", [True, False])
def test_what_a_shopper_asks_for_in_a_chat_is_a_line_too(make, shop, keyed, stream):
    file, _ = keyed
    secret, record = file.add("acme", ["agent"])
    agent = Agent(shop, Registry(shop), Minds(ShopPlanner(shop.catalog, shop.embedder)))
    service = make.service(shop, Registry(shop), agent)
    client = make.client(service, Keyring(Keys(), file))

    def say(message: str, request_id: str) -> list[AuditLine]:
        headers = {"X-Api-Key": secret, "X-Request-Id": request_id}
        headers["Accept"] = "text/event-stream" if stream else "application/json"
        body = {"message": message, "session_id": f"audit-{stream}", "user_id": "ana"}
        assert client.post("/v1/chat", json=body, headers=headers).status_code == 200
        return told(service, request_id)

    assert say("a blue vase", f"audit-wish-{stream}") == []
    assert say("I like the first one", f"audit-liked-{stream}") == []  # it is asked about first
    (line,) = say("yes", f"audit-yes-{stream}")
    assert (line.key_id, line.action, line.status) == (record.key_id, "POST /v1/chat", 200)
    assert line.target == "record_feedback"


def test_lines_come_back_in_order_and_a_torn_one_is_left_out(tmp_path):
    log = AuditLog(tmp_path)
    for hour in (9, 10, 11):
        log.append(replace(LINE, at=f"2026-03-01T{hour:02}:00:00.000+00:00", target=f"V{hour}"))
    with (tmp_path / "2026-03-01.jsonl").open("a") as file:
        file.write('{"at": "2026-03-01T12')
    log.append(replace(LINE, at="2026-03-02T00:00:00.000+00:00", target="\ud800"))
    assert [line.target for line in log.lines(LONG_AGO)] == ["V9", "V10", "V11", "?"]
    assert [line.target for line in log.lines(datetime(2026, 3, 1, 10, 30, tzinfo=UTC))] == ["V11", "?"]


def test_days_past_their_time_go(tmp_path):
    log = AuditLog(tmp_path, days=30)
    for day in ("2026-01-01", "2026-02-01", "2026-02-27"):
        AuditLog(tmp_path).append(replace(LINE, at=f"{day}T12:00:00.000+00:00"))
    log.append(LINE)
    assert sorted(path.stem for path in tmp_path.glob("*.jsonl")) == ["2026-02-01", "2026-02-27", "2026-03-01"]


def test_a_line_of_anything_is_one_line(tmp_path):
    AuditLog(tmp_path).append(replace(LINE, target="a\nb\r\u2028c"))
    assert (tmp_path / "2026-03-01.jsonl").read_bytes().count(b"\n") == 1
    assert [each.target for each in AuditLog(tmp_path).lines(LONG_AGO)] == ["a\nb\r\u2028c"]


def test_a_full_disk_does_not_deny_a_write_that_was_done(keyed, service, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AuditLog, "append", full)
    file, client = keyed
    secret, _ = file.add("acme", ["events"])
    answer = client().put("/v1/events", json={"events": []}, headers={"X-Api-Key": secret})
    assert answer.status_code == 200 and re.search("audit line lost", caplog.text)


def test_moments_sort_as_text():
    earlier = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert moment(earlier) < moment(earlier + timedelta(milliseconds=1)) < moment(earlier + timedelta(hours=13))
