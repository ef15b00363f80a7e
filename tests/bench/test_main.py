"""`make bench` runs what the README's table names."""

from __future__ import annotations

import importlib.util

from bench.__main__ import README, asks, commands


def test_every_bench_of_the_readme_is_there_and_is_run_once() -> None:
    found = commands(README.read_text(encoding="utf-8"))
    assert len(found) > 10 and len({" ".join(each) for each in found}) == len(found)
    assert all(importlib.util.find_spec(each[0]) is not None for each in found)


def test_options_are_kept_and_what_is_the_readers_is_left_to_them() -> None:
    one, other, yours = "`python -m bench.ab`", "`python -m bench.pipeline --kind ivf_pq`", "`python -m bench.x FOLDER`"
    text = f"a {one} b {other} {one} {yours}"
    assert commands(text) == [["bench.ab"], ["bench.pipeline", "--kind", "ivf_pq"], ["bench.x", "FOLDER"]]
    assert [asks(each) for each in commands(text)] == [None, None, "FOLDER"]
