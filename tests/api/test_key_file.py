from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from api.config import ApiConfig
from api.key_file import KEY_FILE, LOCK_MARK, KeyFile, Keyring
from api.keys import Keys, load_keys, require_keys
from api.server import entrance
from catalog.errors import ConfigError, DataError, NotFoundError


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "store" / KEY_FILE)


def test_a_key_is_kept_as_a_digest_that_only_the_owner_reads(file):
    secret, record = file.add("acme", ["read", "events"], label="the till")
    assert len(secret) > 43 and secret.startswith(f"vk_{record.key_id}_")
    assert secret not in file.path.read_text() and secret.rsplit("_", 1)[1] not in file.path.read_text()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    key = Keyring(Keys(), file).find(secret)
    assert (key.key_id, key.tenant, key.scopes) == (record.key_id, "acme", {"read", "events"})
    assert Keyring(Keys(), file).find(record.sha256) is None and Keyring(Keys(), file).find(None) is None


def test_two_keys_are_never_the_same_and_none_is_lost(file):
    made = [file.add("acme", ["read"])[0] for _ in range(20)]
    ring = Keyring(Keys(), file)
    assert len(set(made)) == 20 and all(ring.find(each) for each in made)


def test_a_running_service_follows_the_file(file):
    first, record = file.add("acme", ["read"])
    ring = Keyring(load_keys({"VITRINE_API_KEYS": "globex:of-the-environment"}), file)
    assert ring.find(first) and ring.tenants == {"acme", "globex"}
    second, _ = file.add("initech", ["admin"])
    assert ring.find(second).tenant == "initech"
    file.revoke(record.key_id)
    assert ring.find(first) is None and ring.find(second) and ring.find("of-the-environment")
    assert file.revoke(record.key_id).state(datetime.now(UTC)) == "revoked"
    assert "acme" in ring.tenants  # whose rows are still there


def test_an_expired_key_opens_nothing(file):
    past, _ = file.add("acme", ["read"], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    future, _ = file.add("acme", ["read"], expires_at=datetime.now(UTC) + timedelta(days=1))
    ring = Keyring(Keys(), file)
    assert ring.find(past) is None and ring.find(future) is not None


def test_a_service_with_keys_never_becomes_an_open_one(file):
    secret, record = file.add("acme", ["read"])
    ring = Keyring(Keys(), file)
    file.revoke(record.key_id)
    assert ring and Keyring(Keys(), file)
    require_keys("0.0.0.0", ring)
    file.path.unlink()
    assert ring and ring.find(secret) is None
    file.path.write_text("{")
    assert ring and ring.find(secret) is None


def test_without_a_file_nothing_changes(file):
    assert not Keyring(Keys(), file) and Keyring(Keys(), file).tenants == frozenset()
    with pytest.raises(ConfigError, match="vitrine keys add"):
        require_keys("0.0.0.0", Keyring(Keys(), file))


@pytest.mark.parametrize("damage", ["{", '{"keys": [{"key_id": "x"}]}', '{"secrets": []}', "[]", '{"keys": [1]}'])
def test_a_damaged_file_lets_nobody_start(file, damage):
    file.path.parent.mkdir()
    file.path.write_text(damage)
    with pytest.raises(DataError, match=KEY_FILE):
        Keyring(Keys(), file).check()
    # A worker that takes another's place meanwhile serves nobody by it, in place of ending the server.
    assert Keyring(Keys(), file) and Keyring(Keys(), file).find("anything") is None


def test_a_shop_whose_keys_are_gone_is_not_opened_again(file):
    secret, _ = file.add("acme", ["read"])
    Keyring(Keys(), file).check()
    file.path.unlink()
    replaced = Keyring(Keys(), file)
    assert replaced and replaced.find(secret) is None
    with pytest.raises(ConfigError, match=f"{KEY_FILE}' holds none: put it back, .*remove '.*{LOCK_MARK}'"):
        replaced.check()
    with pytest.raises(ConfigError, match="holds none"):
        opened_by(file)
    Keyring(load_keys({"VITRINE_API_KEYS": "acme:of-the-environment"}), file).check()
    file.add("acme", ["read"])
    Keyring(Keys(), file).check()
    file.path.unlink()
    file.mark.unlink()
    assert not Keyring(Keys(), file)


def test_a_shop_locked_by_a_version_that_left_no_mark_gets_one(file):
    file.add("acme", ["read"])
    file.mark.unlink()
    Keyring(Keys(), file).check()
    assert file.mark.exists()


def opened_by(file: KeyFile) -> None:
    """Take an address for the store of a file, as `vitrine serve` does first."""
    entrance(ApiConfig(), file.path.parent, "127.0.0.1", 0, {}).close()


@pytest.mark.parametrize(("tenant", "scopes"), [("open", ["read"]), ("a b", ["read"]), ("acme", ["all"]), ("acme", [])])
def test_what_no_key_can_be_is_refused_unwritten(file, tenant, scopes):
    with pytest.raises(ConfigError, match="would be valid"):
        file.add(tenant, scopes)
    assert file.read() == ()


def test_an_unknown_key_cannot_be_revoked(file):
    _, record = file.add("acme", ["read"])
    with pytest.raises(NotFoundError, match=f"'00000000'; the file has {record.key_id}"):
        file.revoke("00000000")


def test_over_the_wire_a_revoked_key_is_refused_at_once(make, service, file):
    secret, record = file.add("acme", ["read"], rate_per_minute=12)
    other, _ = file.add("acme", ["read"])
    client = make.client(service, Keyring(Keys(), file))
    headers = {"Authorization": f"Bearer {secret}"}
    # A burst of 12 / 6, of this key alone; the next is let in five seconds later.
    assert [client.get("/v1/shop", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/v1/shop", headers={"Authorization": f"Bearer {other}"}).status_code == 200
    file.revoke(record.key_id)
    assert client.get("/v1/shop", headers=headers).status_code == 401


def test_the_first_key_locks_a_service_that_was_open_at_once(make, service, file):
    client = make.client(service, Keyring(Keys(), file))
    assert client.get("/v1/shop").status_code == 200 and client.get("/health/ready").json()["access"] == "open"
    assert security(client) == []
    secret, _ = file.add("acme", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.delete("/v1/events/e-1", headers=headers).status_code == 403
    assert client.get("/v1/shop").status_code == 401
    assert client.get("/v1/shop", headers=headers).status_code == 200
    assert client.get("/health/ready").json()["access"] == "keys"
    assert security(client) == [{"bearer": ["read"]}, {"key": ["read"]}]


def security(client) -> list[dict[str, list[str]]]:
    """What the document says that an operation asks for."""
    return client.get("/openapi.json").json()["paths"]["/v1/shop"]["get"]["security"]


def test_a_file_that_cannot_be_read_locks_an_open_service(file):
    ring = Keyring(Keys(), file)
    assert not ring
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_text("{")
    assert ring and ring.find("anything") is None


def test_the_listing_holds_nothing_to_enter_with(file):
    secret, _ = file.add("acme", ["read"])
    assert secret not in repr(Keyring(Keys(), file)) and secret not in json.dumps(
        [each.model_dump(mode="json") for each in file.read()]
    )


def test_a_file_of_an_earlier_version_is_read(file):
    secret, _ = file.add("acme", ["read"])
    written = json.loads(file.path.read_text())
    file.path.write_text(json.dumps({**written, "consent": "0" * 64}))
    assert Keyring(Keys(), file).find(secret) is not None
    file.add("acme", ["read"])
    assert Keyring(Keys(), file).find(secret) is not None and "consent" not in file.path.read_text()
