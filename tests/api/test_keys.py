from __future__ import annotations

import pytest

from api.keys import is_loopback, load_keys, require_keys, shared_secret
from catalog.errors import ConfigError

KEY = "sixteen-letters!"


def test_keys_belong_to_tenants():
    keys = load_keys({"VITRINE_API_KEYS": f" acme:{KEY} , {KEY}2,, globex:{KEY}3"})
    assert keys.tenant(KEY) == "acme"
    assert keys.tenant(f"{KEY}2") == "default"
    assert keys.tenant(f"{KEY}3") == "globex"
    assert keys.tenant("") is None and keys.tenant("\udcff") is None


def test_keys_are_not_kept():
    keys = load_keys({"VITRINE_API_KEYS": f"acme:{KEY}"})
    assert KEY not in repr(keys) and KEY.encode() not in keys.digests[0][0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("acme:short", "entry 1.*5 characters"),
        (f"{KEY},acme:{KEY}", "entry 2.*twice"),
        (f"a b:{KEY}", "tenant 'a b'"),
        (f"open:{KEY}", "tenant 'open'"),
        (f":{KEY}", "tenant ''"),
        (f"acme:{KEY};globex:{KEY}", "entry 1: tenant of .* characters"),
        (f"acme/read:{KEY} globex:{KEY}", "entry 1: scopes of .* characters"),
    ],
)
def test_bad_keys_are_named_by_place_and_never_shown(value, said):
    with pytest.raises(ConfigError, match=said) as caught:
        load_keys({"VITRINE_API_KEYS": value})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_may_be_open(host):
    assert is_loopback(host)
    require_keys(host, load_keys({}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "shop.example", "", "localhost.evil.example"])
def test_any_other_address_needs_keys(host):
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="VITRINE_API_KEYS"):
        require_keys(host, load_keys({}))
    require_keys(host, load_keys({"VITRINE_API_KEYS": KEY}))


def test_processes_with_the_same_keys_share_a_secret():
    one = {"VITRINE_API_KEYS": "a:" + "k" * 16}
    assert shared_secret(one) == shared_secret(dict(one)) != shared_secret({"VITRINE_API_KEYS": "a:" + "j" * 16})
    assert len(shared_secret(one)) == 32 and ("k" * 16).encode() not in shared_secret(one)
    assert shared_secret({}) is None and shared_secret({"VITRINE_API_KEYS": " "}) is None
