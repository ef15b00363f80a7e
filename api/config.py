"""How the service behaves on the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.load_config import LoadConfig
from api.tracing import TracingConfig


class ApiConfig(BaseModel):
    """Limits and names of the service. None of them changes what is recommended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs keys (`VITRINE_API_KEYS`)."""

    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""

    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    """Names accepted in the `Host` header while the service is open (no keys): a web page elsewhere that points its
    own name at this machine is refused. Add the public name of a proxy in front."""

    max_body_bytes: int = Field(1 << 20, ge=1024)
    """Largest request body, in bytes."""

    max_picture_body_bytes: int = Field(12 << 20, ge=1024)
    """Largest request body of the doors that take pictures (chat, completions, search), in bytes."""

    max_audio_body_bytes: int = Field(25 << 20, ge=1024)
    """Largest recording that `/v1/audio/transcriptions` takes, in bytes; `crossmodal.max_voice_seconds` is how long it
    may be. A spoken message in the chat is bounded by `max_picture_body_bytes`."""

    heard_below: float = Field(0.5, ge=0, le=1)
    """A spoken message whose words the speech model finds less likely than this (the mean of its words) is asked back
    about before anything is looked up."""

    max_message_chars: int = Field(4000, ge=1)
    """Longest message of a shopper, in characters."""

    max_top_n: int = Field(100, ge=1)
    """Most items one answer may hold."""

    max_events: int = Field(1000, ge=1)
    """Most events in one batch."""

    event_future_seconds: float = Field(300.0, ge=0)
    """How far a client's clock may run ahead: an event dated later than this is refused, an earlier one that is still
    ahead counts as now."""

    event_age_days: float = Field(3650.0, gt=0)
    """How late an event may come: one dated earlier than this is refused, as by a clock that was never set."""

    catalogue_tenants: tuple[str, ...] = ()
    """Tenants whose keys may write and delete items, which every tenant's shoppers see. Empty: the only
    tenant there is, or nobody where there are several."""

    rate_per_minute: int | None = Field(None, ge=1)
    """Requests a minute for each key (or each address while the service is open), over all workers, in bursts of at
    most a sixth of it; a key of its own limit (`vitrine keys add --rate`) has that one. None is no limit."""

    max_body_seconds: float = Field(60.0, gt=0)
    """How long a request's body may take to come, in seconds; a slower one is answered 408."""

    audit_days: int = Field(400, ge=1)
    """How many days of the audit log of writes are kept, a file a day."""

    keep_alive_seconds: float = Field(15.0, gt=0)
    """A silent stream sends a comment this often, so that proxies keep it open."""

    workers: int = Field(1, ge=1, le=64)
    """Processes that answer at one address (`vitrine serve --workers`); memory-mapped artifacts are in memory once."""

    share_libraries: bool = True
    """Whether several workers are forked from a process that has imported the libraries and done nothing else, so that
    these are in memory once and a worker that dies is replaced in seconds. Without, each imports them for itself."""

    drain_notice_seconds: float = Field(1.0, ge=0)
    """How long a server that was told to stop (SIGTERM) still takes requests while `/health/ready` already says 503."""

    drain_seconds: float = Field(10.0, gt=0)
    """How long running answers may take after that; a stream that is not done says so and ends."""

    load: LoadConfig = LoadConfig()
    """How much is taken on at once."""

    tracing: TracingConfig = TracingConfig()
    """Where spans are sent."""

    picture_sizes: tuple[int, ...] = (160, 320, 640, 960)
    """Longest sides, in pixels, in which pictures are served; a request is rounded up to one of them."""

    example_wishes: tuple[str, ...] = ()
    """Wishes the page offers at the start; empty makes them from the catalogue."""
