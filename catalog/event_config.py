"""Where events rest, and for how long."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class EventConfig(BaseModel):
    """Where events, slates and traces rest, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = None
    """Address of the database, `postgresql://user@host:5432/shop` (needs the extra `postgres`) or
    `sqlite:////srv/shop/events.sqlite`; None is `events.sqlite` in the store. A password in it may come by environment
    alone (`VITRINE_EVENTS__URL`); libpq's own `PGPASSWORD` and `~/.pgpass` do as well."""

    pool_size: int = Field(8, ge=1, le=500)
    """Connections to PostgreSQL that each worker keeps; ten more may come for a moment."""

    connect_seconds: int = Field(5, ge=1, le=300)
    """How long a request waits for PostgreSQL, a free connection to it or a table that another has locked, before it is
    answered 503."""

    retention_days: float | None = Field(None, gt=0)
    """What `vitrine events prune` erases is older than this. None: it must be told."""

    @property
    def label(self) -> str:
        """Which database it is, for doctor, health and page."""
        if self.url is None or self.url.get_secret_value().startswith("sqlite"):
            return "SQLite (WAL)"
        return "PostgreSQL"
