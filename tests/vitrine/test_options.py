from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from catalog.errors import ConfigError
from vitrine.cli.options import overrides, parse_overrides, parse_pairs


def test_dotted_keys_nest_and_values_are_json_where_they_can_be():
    pairs = ["a.b=1", "a.c.d=true", 'a.e=["x"]', "f=plain text", "g=", "h=http://x/?a=b"]
    assert parse_overrides(pairs) == {
        "a": {"b": 1, "c": {"d": True}, "e": ["x"]}, "f": "plain text", "g": "", "h": "http://x/?a=b",
    }  # fmt: skip


def test_the_later_of_two_wins():
    assert parse_overrides(["a.b=1", "a.b=2"]) == {"a": {"b": 2}}


@pytest.mark.parametrize("pair", ["x", "=1", " =1"])
def test_a_pair_without_a_key_is_refused(pair):
    with pytest.raises(ConfigError, match="is not of the form KEY=VALUE"):
        parse_overrides([pair])


def test_a_value_cannot_also_be_a_group():
    with pytest.raises(ConfigError, match=r"'a\.b=2' contradicts"):
        parse_overrides(["a=1", "a.b=2"])


def test_the_store_option_wins_over_set():
    assert overrides(Path("here"), ["store=there"]) == {"store": "here"}


def test_pairs_keep_their_order():
    assert list(parse_pairs(["picture=a", "text=b"], "--modality", "e")) == ["picture", "text"]


@pytest.mark.parametrize(
    ("pairs", "said"), [(["a"], "not of the form"), (["a="], "not of"), (["a=1", "a=2"], "already")]
)
def test_bad_pairs_name_the_option(pairs, said):
    with pytest.raises(ConfigError, match=f"--column .*{said}"):
        parse_pairs(pairs, "--column", "title=prod_name")


def test_the_version_is_that_of_the_package(run):
    said = Path(__file__).parents[2].joinpath("pyproject.toml").read_text()
    assert run("--version").out == f"vitrine {tomllib.loads(said)['project']['version']}\n"
    assert "--version" in run("--help").out
