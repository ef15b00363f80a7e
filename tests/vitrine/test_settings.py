from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog.errors import ConfigError
from vitrine.settings import Settings, changed_settings, load_settings


def toml(text: str, name: str = "vitrine.toml") -> None:
    Path(name).write_text(text)


def refused(overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_source_gives_way_to_the_stronger_one(monkeypatch):
    assert load_settings().api.port == 8000
    toml("[api]\nport = 1001\nhost = '127.0.0.2'\nmax_top_n = 11\nmax_events = 21")
    assert load_settings().api.port == 1001
    toml("[api]\nport = 1002\nhost = '127.0.0.3'\nmax_top_n = 12", "vitrine.local.toml")
    assert load_settings().api.port == 1002
    monkeypatch.setenv("VITRINE_API__PORT", "1003")
    monkeypatch.setenv("VITRINE_API__HOST", "127.0.0.4")
    assert load_settings().api.port == 1003
    api = load_settings({"api": {"port": 1004}}).api
    # One value from each source, and one that nobody named: nested groups are merged, not replaced.
    assert (api.port, api.host, api.max_top_n, api.max_events) == (1004, "127.0.0.4", 12, 21)
    assert api.max_message_chars == 4000


def test_changed_settings_say_who_named_them(monkeypatch):
    toml("seed = 3\n[api]\nhost = '127.0.0.2'")
    toml("[api]\nport = 1002", "vitrine.local.toml")
    monkeypatch.setenv("VITRINE_POSITIVES", '["purchase"]')
    overrides = {"models": {"overrides": {"lirdrec": {"dim": 8}}}, "seed": 4}
    assert changed_settings(load_settings(overrides), overrides) == [
        ("seed", "4", "the command line"),
        ("positives", '["purchase"]', "VITRINE_POSITIVES"),
        ("models.overrides", '{"lirdrec": {"dim": 8}}', "the command line"),
        ("api.host", '"127.0.0.2"', "vitrine.toml"),
        ("api.port", "1002", "vitrine.local.toml"),
    ]


def test_settings_are_frozen_at_every_depth():
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.seed = 1
    with pytest.raises(ValidationError):
        settings.captions.job.media.max_pixels = 1


@pytest.mark.parametrize(
    ("values", "unknown", "meant"),
    [
        ({"sed": 1}, "sed", "seed"),
        ({"agent": {"max_second": 1}}, "agent.max_second", "max_seconds"),
        ({"captions": {"job": {"media": {"max_pixel": 1}}}}, "captions.job.media.max_pixel", "max_pixels"),
        (
            {"agent": {"llm": {"base_url": "http://u", "model": "m", "temprature": 0}}},
            "agent.llm.temprature",
            "temperature",
        ),
    ],
)
class TestUnknownKeys:
    def test_on_the_command_line(self, values, unknown, meant):
        assert refused(values).startswith(
            f"unknown setting {unknown!r} (from the command line). Did you mean {meant!r}?"
        )

    @pytest.mark.parametrize("name", ["vitrine.toml", "vitrine.local.toml"])
    def test_in_a_file(self, values, unknown, meant, name):
        (key, value), *_ = values.items()
        toml(f"{key} = {_inline(value)}", name)
        assert refused().startswith(f"unknown setting {unknown!r} (from {name}). Did you mean {meant!r}?")

    def test_in_the_environment(self, values, unknown, meant, monkeypatch):
        *groups, leaf = unknown.split(".")
        name = "VITRINE_" + "__".join([*groups, leaf]).upper()
        monkeypatch.setenv(name, "1")
        monkeypatch.setenv("VITRINE_AGENT__LLM__BASE_URL", "http://u")
        monkeypatch.setenv("VITRINE_AGENT__LLM__MODEL", "m")
        line = refused()
        assert name in line
        assert meant in line or meant.upper() in line


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def test_a_variable_with_our_prefix_that_is_no_setting_is_refused(monkeypatch):
    monkeypatch.setenv("VITRINE_STOR", "x")
    assert refused().startswith("unknown environment variable 'VITRINE_STOR'. Did you mean 'VITRINE_STORE'?")


@pytest.mark.parametrize("name", ["VITRINE_API_KEYS", "VITRINE_CAPTION_API_KEY", "VITRINE_EMBED_API_KEY"])
def test_keys_pass_and_never_become_a_setting(monkeypatch, name):
    monkeypatch.setenv(name, "hush-hush")
    assert "hush-hush" not in load_settings().model_dump_json()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"api": {"port": "abc"}}, ["'api.port' is 'abc'", "integer"]),
        ({"api": {"port": 70000}}, ["'api.port' is 70000", "less than or equal to 65535"]),
        ({"seed": -1}, ["'seed' is -1", "greater than or equal to 0"]),
        ({"seed": 2**64}, ["'seed' is 18446744073709551616", "less than or equal to 2147483647"]),
        ({"agent": 3}, ["'agent' is 3", "is a group", "max_seconds"]),
        ({"positives": "purchase"}, ["'positives' is 'purchase'", "a list would be valid"]),
        ({"positives": ["buy"]}, ["'positives.0' is 'buy'", "'purchase'", "from the command line"]),
        ({"log_level": "LOUD"}, ["'log_level' is 'LOUD'", "'WARNING'"]),
        ({"sync": {"feed": {"currency": "eur"}}}, ["'sync.feed.currency' is 'eur'", "ISO 4217", "'EUR'"]),
        ({"sync": {"feed": {"encoding": "rot13"}}}, ["'sync.feed.encoding' is 'rot13'", "): 'rot13' is no encoding"]),
        ({"indexes": {"vectors": {"qdrant": {"url": "qdrant"}}}}, ["qdrant.url' is 'qdrant'", "http:// or https://"]),
        (
            {"captions": {"openai": {"model": "m"}}},
            ["'captions.openai.base_url' is missing", "'captions.openai' is set"],
        ),
        ({"captions": {"captioner": "pixel"}}, ["'captions.captioner' is 'pixel'", "'transformers' or 'vllm'"]),
        ({"agent": {"llm": {"base_url": "gpu-box", "model": "m"}}}, ["'agent.llm.base_url' is 'gpu-box'", "http://"]),
        ({"models": {"serve": "lirdrek"}}, ["unknown recommender 'lirdrek'", "Did you mean 'lirdrec'"]),
        ({"models": {"overrides": {"lirdrek": {}}}}, ["unknown recommender 'lirdrek'", "Did you mean 'lirdrec'"]),
        ({"models": {"overrides": {"lirdrec": {"dimm": 1}}}}, ["lirdrec: unknown setting 'dimm'", "'dim'"]),
        ({"models": {"overrides": {"lirdrec": {"dim": 0}}}}, ["lirdrec: dim = 0", "greater than"]),
    ],
)
def test_a_wrong_value_is_one_clear_line(values, said):
    line = refused(values)
    assert all(part in line for part in said), line


def test_a_wrong_value_in_the_environment_names_its_variable(monkeypatch):
    monkeypatch.setenv("VITRINE_API__PORT", "abc")
    assert "(from VITRINE_API__PORT)" in refused()


def test_a_list_in_the_environment_is_json(monkeypatch):
    monkeypatch.setenv("VITRINE_API__HOSTS", '["a.example"]')
    assert load_settings().api.hosts == ("a.example",)
    monkeypatch.setenv("VITRINE_API__HOSTS", "a.example")
    line = refused()
    assert "VITRINE_API__HOSTS is 'a.example'" in line and "JSON would be valid" in line


def test_a_broken_file_is_named_with_its_line():
    toml("seed = 1\nport = = 2")
    line = refused()
    assert "'vitrine.toml' is not valid TOML" in line and "line 2" in line


def test_a_file_that_is_no_text_or_no_file_is_named():
    Path("vitrine.toml").write_bytes(b"\xff\xfe")
    assert "'vitrine.toml' is not valid TOML" in refused()
    Path("vitrine.local.toml").mkdir()
    assert "'vitrine.local.toml' is no regular file" in refused()


def test_free_mappings_take_any_name():
    toml('[models.modalities]\nvideo = "v"\n[models.overrides.itemknn]\n')
    models = load_settings().models
    assert dict(models.modalities) == {"video": "v"} and "itemknn" in models.overrides


def test_defaults_need_no_server_and_no_key():
    settings = Settings()
    assert (settings.captions.captioner, settings.embedding.embedder, settings.agent.llm) == ("pixels", "minilm", None)


def test_a_settings_file_that_is_a_pipe_is_not_waited_for():
    os.mkfifo("vitrine.toml")
    assert "vitrine.toml' is no regular file" in refused()
