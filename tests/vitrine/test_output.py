"""What others wrote never steers the terminal, whatever the command."""

from __future__ import annotations

import ast
import csv
import json
from pathlib import Path

import pytest

import vitrine.cli

TITLE = "\x1b[31mred vase\x1b[0m\x1b]0;pwn\a"
SHOWN = r"\x1b[31mred vase\x1b[0m\x1b]0;pwn\x07"


def steers(text: str) -> list[str]:
    return [c for c in text if not c.isprintable() and c != "\n"]


@pytest.fixture
def shop() -> str:
    with Path("items.csv").open("w", newline="") as file:
        rows = [["item_id", "title", "price", "currency", "brand"], ["A\x1b[2J", TITLE, "5", "E\x9b", "Kla\nra"]]
        csv.writer(file).writerows(
            [*rows, ["B", "blue mug", "x\x1b[5m", "EUR", "Potter"], ["C", "blue cup", "7", "", ""]]
        )
    return "items.csv"


def test_no_command_lets_a_title_steer(run, shop):
    said = [run("import", "table", "--items", shop, "--store", "s"), run("preview", shop)]
    said += [run("index", "--store", "s"), run("doctor", "--store", "s"), run("chat", "a red vase", "--store", "s")]
    assert [ran.code for ran in said][:3] == [0, 0, 0] and said[-1].code == 0
    for ran in said:
        assert not steers(ran.out) and not steers(ran.err), ran
    assert SHOWN in said[-1].out  # the numbered line
    told = run("chat", "a red vase", "--json", "--store", "s")
    assert not steers(told.out) and TITLE in {item["title"] for item in json.loads(told.out)["recommendations"]}


@pytest.mark.parametrize("name", ["\x1b[31mred\nline", " ", "a\u202eb"])
def test_a_name_that_is_not_plain_is_refused_before_anything_is_read(run, shop, name):
    for kind, where in (("table", ("--items", shop)), ("movielens", (".",)), ("amazon", (".",))):
        line = run("import", kind, *where, "--name", name, "--store", "s").line
        assert line == f"--name {name!r}: printable characters on one line would be valid"
    assert not Path("s").exists()


def test_a_name_taken_from_a_file_is_made_plain(run, shop):
    Path(shop).rename("a\x1b[31m\nb.csv")
    assert run("import", "table", "--items", "a\x1b[31m\nb.csv", "--store", "s").out.startswith(r"a\x1b[31m b: 2 items")


def test_commands_print_through_the_one_door():
    folder = Path(vitrine.cli.__file__).parent
    bare = [
        f"{path.name}:{node.lineno}"
        for path in sorted(folder.glob("*.py"))
        if path.name != "output.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert bare == []
