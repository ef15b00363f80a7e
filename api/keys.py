"""Keys: who may talk to the shop, for which tenant, and what each may do."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from api.scopes import SCOPES, ApiScope
from catalog.errors import ConfigError
from catalog.tenancy import OPEN_TENANT

ENVIRONMENT = "VITRINE_API_KEYS"
SHORTEST = 16

_TENANT = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not the key.

    Attributes:
        key_id: Names it in logs and in the audit log; nobody can enter with it.
        tenant: Whose.
        scopes: What it may do.
        rate_per_minute: Requests a minute; None is the service's own limit.
        daily_quota: Requests a day (UTC); None is no limit.
    """

    key_id: str
    tenant: str
    scopes: frozenset[ApiScope] = SCOPES
    rate_per_minute: int | None = None
    daily_quota: int | None = None


class Doorkeeper(Protocol):
    """Who knows the keys; false where no key was ever given out, which leaves the service open."""

    def __bool__(self) -> bool: ...

    @property
    def tenants(self) -> frozenset[str]:
        """Every tenant that has a key."""

    def find(self, presented: str | None) -> Key | None:
        """Return the key that is presented, or None."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The digests of the keys and what each may do; the keys themselves are not kept."""

    digests: tuple[tuple[bytes, Key], ...] = ()

    def __repr__(self) -> str:
        return f"Keys({len(self.digests)})"

    def __bool__(self) -> bool:
        return bool(self.digests)

    @property
    def tenants(self) -> frozenset[str]:
        """Every tenant that has a key."""
        return frozenset(key.tenant for _, key in self.digests)

    def find(self, presented: str | None) -> Key | None:
        """Return what is known of a key, or None; takes the same time whichever key is (or is not) right."""
        digest = digest_of(presented or "")
        found: Key | None = None
        for known, key in self.digests:
            if hmac.compare_digest(known, digest):
                found = key
        return found

    def tenant(self, presented: str | None) -> str | None:
        """Return the tenant of a key, or None."""
        key = self.find(presented)
        return key.tenant if key is not None else None


def load_keys(environment: Mapping[str, str]) -> Keys:
    """Read `VITRINE_API_KEYS`: `tenant:key` pairs or bare keys (tenant `default`), separated by commas.

    `tenant/read+events:key` gives a key these scopes alone; without them it may do everything its tenant may.

    Raises:
        ConfigError: When a key is shorter than 16 characters, stands twice, or a tenant or scope is none.
    """
    known: list[tuple[bytes, Key]] = []
    for position, part in enumerate(environment.get(ENVIRONMENT, "").split(","), start=1):
        entry = part.strip()
        if not entry:
            continue
        who, colon, secret = entry.rpartition(":")
        place = f"{ENVIRONMENT}, entry {position}"
        tenant, slash, named = who.partition("/")
        tenant = checked_tenant(tenant if colon else "default", place)
        scopes = checked_scopes(named.split("+"), place) if slash else SCOPES
        if len(secret) < SHORTEST:
            raise ConfigError(f"{place}: a key of {len(secret)} characters; at least {SHORTEST} would be valid")
        digest = digest_of(secret)
        if any(before == digest for before, _ in known):
            raise ConfigError(f"{place}: this key stands twice; each key belongs to one tenant")
        known.append((digest, Key(f"env-{digest.hex()[:8]}", tenant, scopes)))
    return Keys(tuple(known))


def checked_tenant(tenant: str, place: str) -> str:
    """Return `tenant`, or raise ConfigError when it cannot be one."""
    if not _TENANT.fullmatch(tenant) or tenant == OPEN_TENANT:
        raise ConfigError(f"{place}: tenant {_shown(tenant)}; up to 40 letters, digits, - and _ would be valid")
    return tenant


def checked_scopes(names: Iterable[str], place: str) -> frozenset[ApiScope]:
    """Return scopes by name, or raise ConfigError when one is none or there is none."""
    given = {name.strip() for name in names}
    found: frozenset[ApiScope] = frozenset(scope for scope in SCOPES if scope in given)
    if not found or len(found) < len(given):
        odd = ", ".join(map(_shown, sorted(given - found)))
        raise ConfigError(f"{place}: scopes {odd}; {', '.join(sorted(SCOPES))} would be valid")
    return found


def _shown(name: str) -> str:
    """Return a name that is none as an error may repeat it: entries parted by no comma have a key in it."""
    return repr(name) if len(name) < SHORTEST else f"of {len(name)} characters"


def shared_secret(environment: Mapping[str, str]) -> bytes | None:
    """Return what processes with the same `VITRINE_API_KEYS` share and nobody else can make, or None without keys.

    Tokens that one of them minted are good at all of them, and after a restart.
    """
    written = environment.get(ENVIRONMENT, "").strip()
    return hmac.digest(written.encode("utf-8", "surrogateescape"), b"vitrine consent", "sha256") if written else None


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_keys(host: str, keys: Doorkeeper) -> None:
    """Refuse to open the shop to a network without keys.

    Raises:
        ConfigError: When `host` is not loopback and there is no key.
    """
    if not keys and not is_loopback(host):
        raise ConfigError(
            f"host {host!r} can be reached from outside and no key is set: "
            f"set {ENVIRONMENT}=tenant:key, make one with 'vitrine keys add', or serve on 127.0.0.1"
        )


def digest_of(secret: str) -> bytes:
    """Return what is kept of a key. A plain digest does: a key is random, no word anybody could guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
