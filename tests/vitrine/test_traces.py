"""`vitrine traces`: a conversation taken to a file and held again."""

from __future__ import annotations

import json
from pathlib import Path


def test_a_conversation_is_exported_and_comes_out_the_same(run, store: Path, tmp_path: Path) -> None:
    said = run("chat", "a blue vase under 40", "cheaper", "--user", "u1", "--store", store, "--json")
    assert said.code == 0, said
    trace_id = json.loads(said.out.splitlines()[-1])["trace_id"]
    file = tmp_path / "conversation.jsonl"
    exported = run("traces", "export", trace_id, file, "--store", store)
    assert exported.code == 0 and "2 turns" in exported.out, exported
    again = run("traces", "replay", file, "--store", store)
    assert (again.code, again.out.strip()) == (0, "2 turns: the same tool results, the same answers"), again
    traces = [json.loads(line) for line in file.read_text().splitlines()]
    traces[1]["answer"]["text"] = "Something else."
    file.write_text("".join(json.dumps(trace) + "\n" for trace in traces))
    other = run("traces", "replay", file, "--store", store)
    assert other.code == 1 and 'turn 2 answer.text: recorded "Something else.", now' in other.out, other
    assert "2 turns, 1 difference" in other.out
    assert "exists" in run("traces", "export", trace_id, file, "--store", store).line
    assert "unknown trace 'nowhere'" in run("traces", "export", "nowhere", tmp_path / "none", "--store", store).line
