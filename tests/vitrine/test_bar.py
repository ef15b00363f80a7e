from __future__ import annotations

import io

import pytest

from eval.fit_progress import BoundedProgress
from vitrine.cli import bar
from vitrine.cli.bar import PlainLines, TerminalBar, progress


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bar, "time", clock)
    return clock


def test_a_line_every_five_seconds_and_one_at_the_end(clock, capsys):
    lines = PlainLines()
    lines.start("captions", 100)
    for _ in range(3):
        clock.now += 2
        lines.advance(10)
    assert capsys.readouterr().err == "captions: 30/100, 5.0/s, 14 s left\n"  # 30 in 6 s; 70 more at 5/s
    clock.now += 4
    lines.advance(70, "2 failed")
    lines.finish()
    assert capsys.readouterr().err == "captions: 100/100, 10.0/s, 10.0 s, 2 failed\n"


def test_what_an_earlier_run_did_is_counted_and_says_nothing_of_the_rate(clock, capsys):
    lines = PlainLines()
    lines.start("captions", 100, done=80)
    clock.now += 5
    lines.advance(10)
    assert capsys.readouterr().err == "captions: 90/100, 2.0/s, 5 s left, 80 done before\n"


def test_a_task_that_was_done_before_has_no_rate(clock, capsys):
    lines = PlainLines()
    lines.start("captions", 6, done=6)
    lines.finish()
    assert capsys.readouterr().err == "captions: 6/6, 0.0 s, 6 done before\n"


def test_an_unknown_total_has_no_time_left(clock, capsys):
    lines = PlainLines()
    lines.start("rows", None)
    clock.now += 6
    lines.advance(12)
    assert capsys.readouterr().err == "rows: 12, 2.0/s\n"


def test_a_task_that_may_end_early_is_told_as_a_limit(clock, capsys):
    lines = PlainLines()
    lines.start_at_most("lirdrec, seed 1, 3 of 8", 1000)
    clock.now += 6
    lines.advance(60)
    lines.start("captions", 100)
    clock.now += 6
    lines.advance(60)
    assert capsys.readouterr().err == (
        "lirdrec, seed 1, 3 of 8: 60/1000, 10.0/s, at most 94 s left\ncaptions: 60/100, 10.0/s, 4 s left\n"
    )
    assert isinstance(lines, BoundedProgress) and isinstance(TerminalBar(), BoundedProgress)


def test_without_a_task_nothing_is_said(capsys):
    PlainLines().finish()
    TerminalBar().advance()
    TerminalBar().finish()
    assert capsys.readouterr().err == ""


def test_the_bar_of_a_terminal_shows_count_rate_and_note(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    shown = progress()
    assert isinstance(shown, TerminalBar)
    shown.start("captions", 4, done=1)
    shown.advance(3, "1 failed")
    shown.finish()
    assert "at most" not in screen.getvalue()
    shown.start_at_most("lirdrec, seed 1, 3 of 8", 1000)
    shown.advance(1)
    shown.finish()
    assert "at most" in screen.getvalue()
    assert "captions" in screen.getvalue() and "4/4" in screen.getvalue() and "1 failed" in screen.getvalue()


def test_elsewhere_plain_lines(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(progress(), PlainLines)
