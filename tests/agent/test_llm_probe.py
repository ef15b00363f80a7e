from random import Random

import pytest

from agent.config import LLMConfig
from agent.llm_probe import LLM_CHECKS, examine_llm
from captioning.seeing_server import SeeingServer
from catalog.errors import ConfigError, ServiceError


def examined(fault=None, **changes):
    with SeeingServer(fault) as server:
        config = LLMConfig(base_url=server.base_url, model="seeing", timeout_seconds=10, **changes)
        return {finding.subject: finding for finding in examine_llm(config, Random(3))}, server.requests


def test_a_sound_server_passes_every_check():
    found, requests = examined()
    assert tuple(found) == LLM_CHECKS
    assert {finding.level for finding in found.values()} == {"ok"}
    assert len(requests) == 3 and all(request["stream"] for request in requests)
    assert "put_away(parcel=" in found["tools"].text and found["tools"].text.endswith("right")


@pytest.mark.parametrize(
    ("fault", "check", "said", "helps"),
    [
        ("broken stream", "streaming", "broke off before its end", "proxy"),
        ("one piece", "streaming", "they came in 1 piece: it is not streamed", "proxy"),
        ("cut off", "streaming", "cut off at 600 tokens", "agent.llm.max_tokens"),
        ("bad arguments", "tools", "the arguments are no JSON", "--tool-call-parser"),
        ("no calls", "tools", "no tool was called", "--enable-auto-tool-choice"),
        ("written calls", "tools", "no tool was called", "--tool-call-parser"),
        ("other tool", "tools", "the tool called is 'sing'", "--tool-call-parser"),
        ("shapeless", "schema", "it is no JSON", "response_format"),
    ],
)
def test_each_fault_fails_its_check_by_name(fault, check, said, helps):
    found, _ = examined(fault)
    assert found[check].level == "bad"
    assert said in found[check].text and helps in found[check].text and "asked for" in found[check].text
    assert "\n" not in found[check].text


def test_thinking_aloud_is_passed_over_as_the_agent_does():
    assert {finding.level for finding in examined("thinking")[0].values()} == {"ok"}


def test_a_fault_of_tools_leaves_the_other_checks_alone():
    found, requests = examined("bad arguments")
    assert [check for check, finding in found.items() if finding.level == "bad"] == ["tools"]
    assert len(requests) == 4  # the wrong one was given a second chance


def test_it_asks_as_the_agent_does():
    _, requests = examined(strict_tools=False, seed=None, max_tokens=77)
    assert {request["max_tokens"] for request in requests} == {77} and not any("seed" in each for each in requests)
    assert "strict" not in requests[1]["tools"][0]["function"]


def test_two_probes_never_ask_the_same():
    first, second = examined()[1], examined()[1]
    assert [each["messages"] for each in first] == [each["messages"] for each in second]  # of one seed
    with SeeingServer() as server:
        config = LLMConfig(base_url=server.base_url, model="seeing")
        examine_llm(config)
    assert server.requests[0]["messages"] != first[0]["messages"]


def test_what_cannot_be_asked_is_an_outage_or_a_missing_key(monkeypatch):
    with SeeingServer() as server:
        gone = LLMConfig(base_url=server.base_url, model="seeing")
    with pytest.raises(ServiceError, match="unreachable"):
        examine_llm(gone)
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(ConfigError, match="'NOT_SET'"):
        examine_llm(LLMConfig(base_url=server.base_url, model="seeing", api_key_env="NOT_SET"))
