from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigError
from vitrine.settings import load_settings

HIDDEN = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"api_keys = 'acme:{HIDDEN}'",
        f"[api]\nkeys = ['acme:{HIDDEN}']",
        f"[api]\nAPI_KEY = '{HIDDEN}'",
        f"[agent.llm]\napi_key = '{HIDDEN}'",
        f"[agent.llm]\nbearer_token = '{HIDDEN}'",
        f"[events]\npassword = '{HIDDEN}'",
        f"[captions.openai]\nsecret = '{HIDDEN}'",
        f"[sync]\ncredentials = '{HIDDEN}'",
    ],
)
@pytest.mark.parametrize("name", ["vitrine.toml", "vitrine.local.toml"])
def test_a_secret_in_a_settings_file_is_refused_by_name_and_never_shown(text, name):
    Path(name).write_text(text)
    with pytest.raises(ConfigError, match="by environment alone") as caught:
        load_settings()
    said = str(caught.value)
    assert text.rpartition(" = ")[0].split("\n")[-1] in said and name in said and HIDDEN not in said


def test_a_secret_on_the_command_line_is_refused_as_well():
    with pytest.raises(ConfigError, match=r"'agent\.llm\.api_key' from the command line") as caught:
        load_settings({"agent": {"llm": {"api_key": HIDDEN}}})
    assert HIDDEN not in str(caught.value)


def test_numbers_of_tokens_are_no_secrets():
    assert load_settings({"agent": {"max_seconds": 3}}).agent.max_seconds == 3


def test_by_environment_it_is_welcome(monkeypatch):
    monkeypatch.setenv("VITRINE_API_KEYS", f"acme:{HIDDEN}")
    monkeypatch.setenv("VITRINE_AGENT_LLM_API_KEY", HIDDEN)
    assert HIDDEN not in repr(load_settings())


def test_a_list_that_is_no_json_does_not_show_what_stands_beside_it(monkeypatch):
    """The variable at fault is named, and never another whose name only begins alike."""
    monkeypatch.setenv("VITRINE_API_KEYS", f"acme:{HIDDEN}")
    monkeypatch.setenv("VITRINE_API__HOST", "127.0.0.1")
    monkeypatch.setenv("VITRINE_API__HOSTS", "shop.example.com")
    with pytest.raises(ConfigError, match=r"VITRINE_API__HOSTS is 'shop\.example\.com': JSON would be valid") as caught:
        load_settings()
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("text", ["{bad", f'{{"url": "postgresql://shop:{HIDDEN}@db/shop"'])
def test_a_group_that_is_no_json_is_named_and_not_shown(monkeypatch, text):
    monkeypatch.setenv("VITRINE_EVENTS__URL", f"postgresql://shop:{HIDDEN}@db/shop")
    monkeypatch.setenv("VITRINE_EVENTS", text)
    with pytest.raises(ConfigError, match="VITRINE_EVENTS is no JSON: JSON would be valid") as caught:
        load_settings()
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VITRINE_EVENTS", f"postgresql://shop:{HIDDEN}@db/shop"),
        ("VITRINE_EVENTS", f'"postgresql://shop:{HIDDEN}@db/shop"'),
        ("VITRINE_EVENTS", f'{{"url": ["postgresql://shop:{HIDDEN}@db/shop"]}}'),
        ("VITRINE_EVENTS__URL__PASSWORD", HIDDEN),
    ],
)
def test_an_address_in_the_wrong_place_is_not_shown(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=name) as caught:
        load_settings()
    assert HIDDEN not in str(caught.value)


def test_a_password_among_the_parameters_of_an_address_comes_by_environment_alone(monkeypatch):
    url = f"postgresql://shop@db/shop?password={HIDDEN}"
    with pytest.raises(ConfigError, match="holds a password and comes from") as caught:
        load_settings({"events": {"url": url}})
    assert HIDDEN not in str(caught.value)
    monkeypatch.setenv("VITRINE_EVENTS__URL", url)
    assert HIDDEN not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VITRINE_AGENT__LLM", f'{{"base_url": "http://me:{HIDDEN}@llm:8000/v1", "model": "m"}}'),
        ("VITRINE_CAPTIONS__OPENAI", f'{{"base_url": "https://{HIDDEN}@llm/v1", "model": "m"}}'),
        ("VITRINE_API__TRACING__ENDPOINT", f"http://me:{HIDDEN}@otel:4318/v1/traces"),
        ("VITRINE_INDEXES__VECTORS__QDRANT__URL", f"http://me:{HIDDEN}@qdrant:6333"),
    ],
)
def test_a_password_in_the_address_of_a_server_is_refused_and_not_shown(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=rf"\(from {name}\) holds a user name or password") as caught:
        load_settings()
    assert HIDDEN not in str(caught.value)


def test_an_at_sign_in_a_path_is_no_user(monkeypatch):
    monkeypatch.setenv("VITRINE_AGENT__LLM", '{"base_url": "http://llm:8000/@me/v1", "model": "m"}')
    assert load_settings().agent.llm.base_url == "http://llm:8000/@me/v1"
