import pytest

from agent.config import LLMConfig
from agent.minds import Breaker, Minds, ShopPlanner
from catalog.errors import ConfigError
from catalog.items import Catalog


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_turn_try_again() -> None:
    clock = Clock()
    breaker = Breaker(2, 30.0, clock)
    breaker.failed("refused")
    assert breaker.allows() and breaker.state == "closed"
    breaker.failed("refused again")
    assert not breaker.allows() and breaker.state == "open" and breaker.last_error == "refused again"
    clock.now = 31.0
    assert breaker.state == "half-open"
    assert breaker.allows() and not breaker.allows()
    breaker.succeeded()
    assert breaker.allows() and breaker.state == "closed" and breaker.last_error is None


def test_a_slow_failure_opens_the_breaker_at_once() -> None:
    breaker = Breaker(5, 30.0, Clock())
    breaker.failed("took longer than 20 s", slow=True)
    assert not breaker.allows()


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(2, 30.0, Clock())
    breaker.failed("x")
    breaker.succeeded()
    breaker.failed("x")
    assert breaker.allows()


def test_status_names_who_thinks() -> None:
    planner = ShopPlanner(Catalog([]))
    assert Minds(planner).status() == {"active": "planner", "llm": None}
    minds = Minds(planner, LLMConfig(base_url="http://127.0.0.1:9/v1", model="m"))
    assert minds.status()["active"] == "llm"
    assert minds.breaker is not None
    minds.breaker.failed("gone", slow=True)
    assert minds.status() == {
        "active": "planner",
        "llm": {"base_url": "http://127.0.0.1:9/v1", "model": "m", "breaker": "open", "last_error": "gone"},
    }
    assert minds.llm() is None


def test_a_missing_key_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = LLMConfig(base_url="http://127.0.0.1:9/v1", model="m", api_key_env="SHOP_LLM_KEY")
    monkeypatch.delenv("SHOP_LLM_KEY", raising=False)
    with pytest.raises(ConfigError, match="SHOP_LLM_KEY"):
        Minds(ShopPlanner(Catalog([])), config)
    monkeypatch.setenv("SHOP_LLM_KEY", "secret")
    assert config.api_key() == "secret" and "secret" not in repr(config)
