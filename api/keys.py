"""Keys: who may talk to the shop, and for which tenant."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import ConfigError
from catalog.tenancy import OPEN_TENANT

ENVIRONMENT = "VITRINE_API_KEYS"
SHORTEST = 16

_TENANT = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The digests of the keys and the tenant each belongs to; the keys themselves are not kept."""

    digests: tuple[tuple[bytes, str], ...] = ()

    def __repr__(self) -> str:
        return f"Keys({len(self.digests)})"

    def __bool__(self) -> bool:
        return bool(self.digests)

    def tenant(self, presented: str | None) -> str | None:
        """Return the tenant of a key, or None; takes the same time whichever key is (or is not) right."""
        digest = _digest(presented or "")
        found: str | None = None
        for known, tenant in self.digests:
            if hmac.compare_digest(known, digest):
                found = tenant
        return found


def load_keys(environment: Mapping[str, str]) -> Keys:
    """Read `VITRINE_API_KEYS`: `tenant:key` pairs or bare keys (tenant `default`), separated by commas.

    Raises:
        ConfigError: When a key is shorter than 16 characters, stands twice, or a tenant's name is malformed.
    """
    pairs: list[tuple[bytes, str]] = []
    for position, part in enumerate(environment.get(ENVIRONMENT, "").split(","), start=1):
        entry = part.strip()
        if not entry:
            continue
        tenant, colon, secret = entry.rpartition(":")
        if not colon:
            tenant = "default"
        place = f"{ENVIRONMENT}, entry {position}"
        if not _TENANT.fullmatch(tenant) or tenant == OPEN_TENANT:
            raise ConfigError(f"{place}: tenant {tenant!r}; up to 40 letters, digits, - and _ would be valid")
        if len(secret) < SHORTEST:
            raise ConfigError(f"{place}: a key of {len(secret)} characters; at least {SHORTEST} would be valid")
        digest = _digest(secret)
        if any(known == digest for known, _ in pairs):
            raise ConfigError(f"{place}: this key stands twice; each key belongs to one tenant")
        pairs.append((digest, tenant))
    return Keys(tuple(pairs))


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


def require_keys(host: str, keys: Keys) -> None:
    """Refuse to open the shop to a network without keys.

    Raises:
        ConfigError: When `host` is not loopback and there is no key.
    """
    if not keys and not is_loopback(host):
        raise ConfigError(
            f"host {host!r} can be reached from outside and no key is set: "
            f"set {ENVIRONMENT}=tenant:key, or serve on 127.0.0.1"
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
