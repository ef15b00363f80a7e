"""`vitrine eval --replay` on a small boutique."""

import json


def test_the_replay_of_the_last_days_says_what_adaptation_adds(run, store, tmp_path):
    told = run(
        "eval", "--store", store, "--replay", "--replay-hours", 30, "--set", "models.serve=ease",
        "--json", tmp_path / "replay.json",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "ease replayed from" in told.out and "adapted / frozen - 1" in told.out
    report = json.loads((store / "reports" / "replay.json").read_text())
    assert report == json.loads((tmp_path / "replay.json").read_text())
    opening, taking = (report["replay"]["before"][name] for name in ("opening", "taking"))
    assert opening["moments"] == taking["moments"] > 0
    assert 0 < opening["informed"] <= taking["informed"] <= taking["moments"]


def test_more_hours_than_the_log_has_are_one_line(run, store):
    told = run("eval", "--store", store, "--replay", "--replay-hours", 1e5)
    assert told.line.startswith("100000.0 hours to replay leave nothing to learn from: the log is ")
