"""A file in ReDial's form, made from the films' log, runs through the dialogue evaluation."""

import json
import os
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.realdata
def test_films_are_talked_about_found_by_title_and_judged(run, tmp_path):
    folder = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "movies"
    if not (folder / "movies.inter").is_file():
        pytest.skip(f"no movies data in {str(folder)!r} (set TEST_DATA)")
    assert run("import", "mmrec", folder, "--store", "store").code == 0
    assert run("index", "--store", "store").code == 0
    assert run("eval", "dialogue", "--make", "made.jsonl", "--limit", 50, "--store", "store").code == 0
    first = json.loads(Path("made.jsonl").read_text().splitlines()[0])
    assert {"movieMentions", "messages", "conversationId", "initiatorQuestions", "respondentWorkerId"} <= set(first)
    told = run("eval", "dialogue", "made.jsonl", "--limit", 2, "--history", "none,said", "--store", "store")
    assert told.code == 0, told.err
    report = json.loads(Path("store/reports/dialogue.json").read_text())["dialogue"]
    assert (report["dialogues"], report["dialogues_judged"], report["moments"]) == (50, 2, 4)
    assert report["targets"]["found"] == 4 and not report["targets"]["missed"] and not report["rejected"]["lines"]
    assert report["contenders"]["agent, history said"]["outcomes"].keys() <= {"recommended", "answered", "question"}
