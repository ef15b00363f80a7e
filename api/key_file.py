"""The file of keys: made by `vitrine keys`, read anew by every worker as soon as it changes."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.keys import Key, Keys, checked_scopes, checked_tenant, digest_of
from api.scopes import ApiScope
from catalog.errors import ConfigError, DataError, NotFoundError

log = logging.getLogger("vitrine.api")

KEY_FILE = "keys.json"
"""Its name in the store."""
LOCK_MARK = "keys.locked"
"""Stands beside it from the first key on: a store whose file of keys is gone is not for everybody again."""
_PREFIX = "vk"


class KeyRecord(BaseModel):
    """One key as the file keeps it: the digest, never the key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_id: str = Field(pattern=r"^[0-9a-f]{8}$")
    """Names it; also stands in the key itself, which is how a lost key is told from the others."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of the key."""
    tenant: str
    """Whose."""
    scopes: tuple[ApiScope, ...]
    """What it may do."""
    label: str = ""
    """What it is for, for people."""
    created_at: AwareDatetime
    """When it was made."""
    expires_at: AwareDatetime | None = None
    """From when on it opens nothing."""
    revoked_at: AwareDatetime | None = None
    """When it was revoked; kept, so that the audit log can still be read."""
    rate_per_minute: int | None = Field(None, ge=1)
    """Requests a minute; None is `api.rate_per_minute`."""
    daily_quota: int | None = Field(None, ge=1)
    """Requests a day (UTC); None is no limit."""

    def state(self, now: datetime) -> Literal["active", "revoked", "expired"]:
        """Whether it opens anything at a moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[KeyRecord, ...] = ()
    consent: str | None = None
    """In files of earlier versions: what tokens of consent were minted by, before `api.consent`."""


@dataclass(frozen=True)
class KeyFile:
    """A file of keys, which need not exist."""

    path: Path

    @property
    def mark(self) -> Path:
        """What says that there were keys, also when the file is gone."""
        return self.path.with_name(LOCK_MARK)

    def read(self) -> tuple[KeyRecord, ...]:
        """Return every key, the revoked ones too.

        Raises:
            DataError: When the file is damaged.
        """
        return self._written().keys

    def _written(self) -> _Written:
        try:
            return _Written.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return _Written()
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise DataError(
                f"{str(self.path)!r}: {place}: {first['msg']}; what 'vitrine keys' wrote is valid"
            ) from error

    def add(
        self,
        tenant: str,
        scopes: Sequence[str],
        *,
        label: str = "",
        expires_at: datetime | None = None,
        rate_per_minute: int | None = None,
        daily_quota: int | None = None,
    ) -> tuple[str, KeyRecord]:
        """Make a key of 256 random bits; return it, which nobody can do again, and its record.

        Raises:
            ConfigError: When the tenant or a scope is none.
        """
        key_id = secrets.token_hex(4)
        secret = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        record = KeyRecord(
            key_id=key_id,
            sha256=digest_of(secret).hex(),
            tenant=checked_tenant(tenant, "--tenant"),
            scopes=tuple(sorted(checked_scopes(scopes, "--scopes"))),
            label=label,
            created_at=datetime.now(UTC),
            expires_at=expires_at,
            rate_per_minute=rate_per_minute,
            daily_quota=daily_quota,
        )
        with self._alone():
            self._write((*self.read(), record))
        return secret, record

    def revoke(self, key_id: str) -> KeyRecord:
        """Let a key open nothing any more, from each worker's next request on; twice does no harm.

        Raises:
            NotFoundError: When there is no such key.
        """
        with self._alone():
            held = self.read()
            found = next((each for each in held if each.key_id == key_id), None)
            if found is None:
                known = ", ".join(each.key_id for each in held) or "none"
                raise NotFoundError(f"unknown key id {key_id!r}; the file has {known}")
            if found.revoked_at is None:
                found = found.model_copy(update={"revoked_at": datetime.now(UTC)})
                self._write(tuple(found if each.key_id == key_id else each for each in held))
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other command write meanwhile, or one of two new keys would be lost."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, keys: tuple[KeyRecord, ...]) -> None:
        self.mark.touch()
        text = json.dumps(_Written(keys=keys).model_dump(mode="json", exclude_none=True), indent=1) + "\n"
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


@dataclass
class Keyring:
    """The keys of the environment and of a file; a key that is added or revoked counts from the next request on.

    The first key locks a service that was open. One that ever had a key never becomes an open one: where the file is
    gone or cannot be read, nobody of it may enter.
    """

    fixed: Keys
    file: KeyFile
    _mark: tuple[int, int, int] | None = field(default=None, init=False)
    _records: tuple[tuple[bytes, KeyRecord], ...] = field(default=(), init=False)
    _locked: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Read the file. A worker that takes another's place lets nobody in by one that is damaged or gone."""
        self._locked = bool(self.fixed) or self.file.mark.exists()
        self._renew()

    def check(self) -> None:
        """Refuse to open the shop without the keys that it had.

        Raises:
            DataError: When the file is damaged.
            ConfigError: When it is gone, and no other key is there.
        """
        if self.file.read():
            self.file.mark.touch()  # a store of a version that left none
        elif self.file.mark.exists() and not self.fixed:
            raise ConfigError(
                f"this shop was locked by keys and {str(self.file.path)!r} holds none: put it back, make a key with "
                f"'vitrine keys add', or remove {str(self.file.mark)!r} to open the shop to this whole machine"
            )

    def __bool__(self) -> bool:
        if not self._locked:  # the first key of a service that was opened without any locks it, in every worker
            self._renew()
        return self._locked

    @property
    def tenants(self) -> frozenset[str]:
        """Every tenant that has, or had, a key."""
        self._renew()
        return self.fixed.tenants | {record.tenant for _, record in self._records}

    def find(self, presented: str | None) -> Key | None:
        """Return what is known of a key, or None."""
        self._renew()
        now = datetime.now(UTC)
        active = tuple(
            (digest, Key(r.key_id, r.tenant, frozenset(r.scopes), r.rate_per_minute, r.daily_quota))
            for digest, r in self._records
            if r.state(now) == "active"
        )
        return Keys((*self.fixed.digests, *active)).find(presented)

    def _renew(self) -> None:
        mark = self._stamp()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._take(self.file.read())
        except (DataError, OSError) as error:  # it was whole when the service opened: somebody wrote it by hand
            self._take(())
            self._locked = True
            log.error("keys unreadable, nobody of them may enter error=%s", type(error).__name__)

    def _take(self, records: tuple[KeyRecord, ...]) -> None:
        self._records = tuple((bytes.fromhex(each.sha256), each) for each in records)
        self._locked = self._locked or bool(records)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
