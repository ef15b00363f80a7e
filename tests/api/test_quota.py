from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from api.key_file import KEY_FILE, KeyFile, Keyring
from api.keys import Keys
from api.quota import QUOTA_FILE, DailyQuota

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize("quota", [1, 7, 200, 999, 20_001])
def test_a_quota_is_given_out_whole_and_not_once_more(tmp_path, quota):
    counted = DailyQuota(tmp_path / QUOTA_FILE, Clock())
    assert sum(counted.wait("k", quota) == 0 for _ in range(quota)) == quota
    assert counted.wait("k", quota) == 12 * 3600 + 1
    assert counted.wait("other", quota) == 0


def test_the_next_day_begins_anew(tmp_path):
    clock = Clock()
    counted = DailyQuota(tmp_path / QUOTA_FILE, clock)
    assert [counted.wait("k", 1) == 0 for _ in range(2)] == [True, False]
    clock.now = NOON + timedelta(hours=12)
    assert counted.wait("k", 1) == 0 and counted.wait("k", 1) == 24 * 3600 + 1


def test_workers_and_restarts_share_one_quota(tmp_path):
    """Together never more than the quota; what a worker had taken and not used when it stopped is lost."""
    clock, path = Clock(), tmp_path / QUOTA_FILE
    workers = [DailyQuota(path, clock) for _ in range(3)]
    passed = sum(workers[n % 3].wait("k", 1000) == 0 for n in range(1500))
    assert passed == 1000
    again = DailyQuota(path, clock)
    assert again.wait("k", 1000) > 0 and again.used("k") == 1000
    first = DailyQuota(path, clock)
    assert sum(first.wait("j", 1000) == 0 for _ in range(3)) == 3
    restarted = DailyQuota(path, clock)
    rest = sum(restarted.wait("j", 1000) == 0 for _ in range(2000))
    assert 1000 - 5 <= rest + 3 <= 1000  # a block is 1000 / 200


def test_old_days_are_swept(tmp_path):
    clock = Clock()
    DailyQuota(tmp_path / QUOTA_FILE, clock).wait("k", 5)
    clock.now += timedelta(days=9)
    DailyQuota(tmp_path / QUOTA_FILE, clock).wait("k", 5)
    with sqlite3.connect(tmp_path / QUOTA_FILE) as connection:
        assert connection.execute("SELECT day FROM used").fetchall() == [("2026-03-10",)]
    connection.close()


def test_over_the_wire_a_spent_quota_says_until_when(make, service, tmp_path):
    file = KeyFile(tmp_path / KEY_FILE)
    secret, record = file.add("acme", ["read"], daily_quota=2)
    other, _ = file.add("acme", ["read"])
    headers, others = {"Authorization": f"Bearer {secret}"}, {"Authorization": f"Bearer {other}"}
    client = make.client(service, Keyring(Keys(), file))
    assert [client.get("/v1/shop", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    restarted = make.client(service, Keyring(Keys(), file))
    refused = restarted.get("/v1/shop", headers=headers)
    assert refused.status_code == 429 and "2 requests of this day" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600 + 1
    assert restarted.get("/v1/shop", headers=others).status_code == 200
    assert DailyQuota(service.shop.root / QUOTA_FILE).used(record.key_id) == 2


def test_a_request_that_the_key_may_not_make_costs_nothing(make, service, tmp_path):
    file = KeyFile(tmp_path / KEY_FILE)
    secret, record = file.add("acme", ["read"], daily_quota=2)
    client = make.client(service, Keyring(Keys(), file))
    assert client.put("/v1/events", json={"events": []}, headers={"X-Api-Key": secret}).status_code == 403
    assert DailyQuota(service.shop.root / QUOTA_FILE).used(record.key_id) == 0


def test_who_cannot_count_lets_nobody_pass(make, service, tmp_path, monkeypatch):
    file = KeyFile(tmp_path / KEY_FILE)
    secret, _ = file.add("acme", ["read"], daily_quota=2)

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(DailyQuota, "wait", full)
    answer = make.client(service, Keyring(Keys(), file)).get("/v1/shop", headers={"X-Api-Key": secret})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
