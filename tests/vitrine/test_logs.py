from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Iterator

import pytest

from vitrine.logs import KeyValueFormatter, configure_logs
from vitrine.serving import teller
from vitrine.settings import load_settings


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def line(message: str, **extra: object) -> str:
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "vitrine.test", **extra})
    return KeyValueFormatter().format(record)


def test_a_record_is_one_line_of_keys_and_values():
    written = line("slate shown", items=3, path="a b.csv")
    assert shlex.split(written)[1:] == [
        "level=INFO", "logger=vitrine.test", "event=slate shown", "items=3", "path=a b.csv",
    ]  # fmt: skip


def test_what_a_shopper_typed_cannot_forge_a_second_line():
    typed = 'x"\nlevel=ERROR event=forged'
    written = line("said", text=typed)
    assert "\n" not in written
    assert json.loads(written.partition(" text=")[2]) == typed


def test_an_exception_stays_on_the_line():
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    written = line("failed", exc_info=info)
    assert "\n" not in written and "ValueError" in written


def test_ours_speak_from_the_level_on_and_libraries_from_warning(capsys):
    configure_logs("INFO")
    logging.getLogger("vitrine.test").info("heard")
    logging.getLogger("vitrine.test").debug("not heard")
    logging.getLogger("httpx").info("not heard either")
    logging.getLogger("httpx").warning("heard too")
    said = [text.partition("event=")[2] for text in capsys.readouterr().err.splitlines()]
    assert said == ["heard", '"heard too"']


def test_configuring_twice_says_everything_once(capsys):
    configure_logs("WARNING")
    configure_logs("WARNING")
    logging.getLogger("vitrine.test").warning("once")
    assert capsys.readouterr().err.count("event=once") == 1


def test_json_logs_say_the_same(capsys):
    configure_logs("INFO", "json")
    logging.getLogger("vitrine.test").info("slate shown", extra={"items": 3})
    [written] = capsys.readouterr().err.splitlines()
    told = json.loads(written)
    assert (told["event"], told["level"], told["logger"], told["items"]) == ("slate shown", "INFO", "vitrine.test", 3)


def test_a_traceback_names_places_and_not_what_was_typed(capsys):
    configure_logs("INFO")
    typed = ("ada@example.org", "wish: something for my knee")
    try:
        try:
            raise KeyError(typed[0])
        except KeyError as error:
            raise ValueError(typed[1]) from error
    except ValueError:
        logging.getLogger("vitrine.test").exception("turn failed")
    written = capsys.readouterr().err
    assert "builtins.ValueError" in written and "builtins.KeyError" in written and "test_logs.py" in written
    assert "ada@" not in written and "knee" not in written


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("text", str)])
def test_what_serve_says_is_json_where_the_logs_are(form, read, capsys):
    configure_logs("INFO", form)
    teller(load_settings({"log_format": form}), error=True)("loading the indexes ...")
    said = [read(line) for line in capsys.readouterr().err.splitlines()]
    assert said == ["loading the indexes ..."] or said[0]["event"] == "loading the indexes ..."
