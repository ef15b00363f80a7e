"""`vitrine keys` and `vitrine events audit`: the operator's side of who may enter and who wrote."""

from __future__ import annotations

import json
from pathlib import Path

from api.audit import AUDIT_FOLDER, AuditLine, AuditLog, moment, person
from api.key_file import KEY_FILE, KeyFile, Keyring
from api.keys import Keys


def test_a_key_is_shown_once_listed_and_revoked(run, tmp_path: Path) -> None:
    store = ("--store", tmp_path)
    made = run("keys", "add", "--tenant", "acme", "--scopes", "read,events", "--quota", 50, "--label", "till", *store)
    secret = made.out.strip()
    ring = Keyring(Keys(), KeyFile(tmp_path / KEY_FILE))
    key = ring.find(secret)
    assert made.code == 0 and key.tenant == "acme" and key.daily_quota == 50 and "not shown again" in made.err
    listed = run("keys", "list", *store).out
    assert key.key_id in listed and "active" in listed and "till" in listed and "50 a day" in listed
    assert secret not in listed and secret.split("_", 2)[2] not in run("keys", "list", "--json", *store).out
    assert "opens nothing" in run("keys", "revoke", key.key_id, *store).out
    assert "revoked" in run("keys", "list", *store).out and ring.find(secret) is None


def test_what_was_done_with_keys_stands_in_the_audit_log(run, tmp_path: Path) -> None:
    store = ("--store", tmp_path)
    run("keys", "add", *store)
    (key_id,) = [each.key_id for each in KeyFile(tmp_path / KEY_FILE).read()]
    run("keys", "revoke", key_id, *store)
    lines = [json.loads(line) for line in run("events", "audit", "--json", *store).out.splitlines()]
    assert [(each["key_id"], each["action"], each["target"]) for each in lines] == [
        ("console", "keys add", key_id),
        ("console", "keys revoke", key_id),
    ]


def test_the_audit_log_is_asked_by_tenant_key_and_shopper(run, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    log, now = AuditLog(tmp_path / AUDIT_FOLDER), datetime.now(UTC)
    for days, key, tenant, target in (
        (9, "k0", "acme", "V9"),
        (0.2, "k1", "acme", person("ana")),
        (0.1, "k2", "b", "V2"),
    ):
        at = moment(now - timedelta(days=days))
        log.append(AuditLine(at, key, tenant, "DELETE /v1/users/{user_id}", target, 200, f"r-{key}"))

    def shown(*asked: object) -> list[str]:
        out = run("events", "audit", "--json", "--store", tmp_path, *asked).out
        return [json.loads(line)["key_id"] for line in out.splitlines()]

    assert shown() == ["k1", "k2"] and shown("--days", 30) == ["k0", "k1", "k2"]
    assert shown("--tenant", "acme") == ["k1"] and shown("--key", "k2") == ["k2"] and shown("--user", "ana") == ["k1"]
    assert "r-k1" in run("events", "audit", "--store", tmp_path).out


def test_mistakes_are_one_line(run, tmp_path: Path) -> None:
    assert "'all'" in run("keys", "add", "--scopes", "all", "--store", tmp_path).line
    assert "tenant 'open'" in run("keys", "add", "--tenant", "open", "--store", tmp_path).line
    assert "unknown key id 'nope'" in run("keys", "revoke", "nope", "--store", tmp_path).line
    (tmp_path / KEY_FILE).write_text("{")
    assert "keys.json" in run("keys", "list", "--store", tmp_path).line
