"""What bounds a turn, and where an LLM may be found."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ConfigError


class LLMConfig(BaseModel):
    """An OpenAI-compatible chat server (vLLM or any other) that may think instead of the planner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Where `/chat/completions` lives, e.g. `http://gpu-box:8000/v1`."""

    model: str = Field(min_length=1)
    """Model name the server knows."""

    api_key_env: str | None = None
    """Name of the environment variable that holds the key. None: the server asks for none."""

    timeout_seconds: float = Field(20.0, gt=0)
    """How long one call may take in all. A slower server costs the shopper this long once, then the breaker opens."""

    patience_seconds: float = Field(2.0, ge=0)
    """A server that is busy (429, 503) and says it will be free within this time is asked once more; of one that says
    longer the planner answers, and it is left alone until then."""

    max_calls: int = Field(4, ge=1)
    """Calls one turn may make, the one that answers among them; the last may not ask for tools any more."""

    max_tokens: int = Field(600, ge=1)
    """Tokens one call may generate."""

    temperature: float = Field(0.0, ge=0)
    """0 makes an answer repeatable where the server allows it."""

    seed: int | None = 1
    """Sent along with every call; None leaves it out for servers that refuse it."""

    strict_tools: bool = True
    """Mark tools `"strict": true`, so that servers with guided decoding emit schema-valid arguments."""

    initial_tool_choice: str = Field("auto", pattern=r"^[a-z_]+$")
    """What the first call of a turn may do: `auto` lets the model choose; `required` holds it to some tool and the name
    of a tool to that one, by guided decoding, for models that answer from memory. Small talk is then looked up too."""

    context_window: int = Field(16384, ge=1024)
    """Tokens the model reads; past messages get at most half of it."""

    breaker_failures: int = Field(2, ge=1)
    """Failures in a row after which the server is left alone for a while."""

    breaker_seconds: float = Field(30.0, gt=0)
    """How long it is left alone; then one turn tries again."""

    def api_key(self) -> str:
        """Return the key from the environment, or a placeholder where none is asked for.

        Raises:
            ConfigError: When the variable named is not set.
        """
        if self.api_key_env is None:
            return "none"
        key = os.environ.get(self.api_key_env)
        if not key:
            raise ConfigError(f"api_key_env names {self.api_key_env!r}, which is not set in the environment")
        return key


class AgentConfig(BaseModel):
    """Budgets of one turn, and what the agent remembers. Every limit ends in an answer, never in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    llm: LLMConfig | None = None
    """None: the planner thinks, without an LLM."""

    max_rounds: int = Field(6, ge=1)
    """Times the mind may ask for tools before it must answer."""

    max_tool_calls: int = Field(12, ge=1)
    """Tool calls of one turn, answers from memory included."""

    max_repeats: int = Field(2, ge=0)
    """Calls a mind may repeat word for word (they are answered from memory) before it must answer."""

    max_tokens: int = Field(60_000, ge=100)
    """Tokens a mind may read and write in one turn (as the server counts them, else four characters each)."""

    max_seconds: float = Field(30.0, gt=0)
    """Wall clock of one turn's thinking. What is known by then is the answer."""

    planner_seconds: float = Field(5.0, gt=0)
    """What the planner gets at least when it steps in for an LLM that used the time up."""

    max_answer_chars: int = Field(4000, ge=200)
    """A rambling mind is cut off at the last whole sentence."""

    max_message_chars: int = Field(8000, ge=1)
    """A longer message of a shopper is read up to here, and the answer says so."""

    max_images: int = Field(4, ge=0)
    """Pictures of one message that are looked at."""

    max_top_n: int = Field(50, ge=1)
    """`top_n` above this is lowered to it."""

    history_messages: int = Field(20, ge=0)
    """Past messages a mind reads."""

    sessions: Literal["auto", "memory", "shared"] = "auto"
    """Where conversations rest. `memory`: in the process that holds them, gone when it ends. `shared`: beside the
    events, so that any worker, on any machine of the same database, goes on with them, also after a restart. `auto`:
    shared where `api.workers` is more than one or the events rest in PostgreSQL, in memory otherwise."""

    session_ttl_seconds: float = Field(3600.0, gt=0)
    """A conversation untouched for this long starts afresh."""

    max_sessions: int = Field(10_000, ge=1)
    """Conversations kept; the one untouched longest goes first."""

    max_handles: int = Field(500, ge=50)
    """Items one conversation may name; those issued longest ago lose their handle first."""

    memory: Literal["on", "off"] = "on"
    """Whether what shoppers tell of themselves (sizes, a budget, likes, dislikes) is kept, and used in later wishes.
    With `off` nothing is written or read."""

    gate: Literal["on", "off"] = "on"
    """The grounding gate. `off` exists for the test that shows what the gate is worth; no caller can reach it."""

    @property
    def room(self) -> int:
        """Characters of past messages that a mind reads: half of what the model reads, at four characters a token."""
        return 2 * self.llm.context_window if self.llm is not None else 1_000_000

    def rounds(self, mind: str) -> int:
        """Return how often a mind (`llm` or `planner`) may ask for tools in one turn."""
        return min(self.max_rounds, self.llm.max_calls - 1) if self.llm and mind == "llm" else self.max_rounds
