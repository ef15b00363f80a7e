"""`vitrine caption` with a model that sees, and with models that do not."""

import pytest

from captioning.seeing_server import SeeingServer
from catalog.workspace import Workspace


def caption(run, store, server, *more):
    sets = [f'captions.openai={{"base_url": "{server.base_url}", "model": "seeing", "retries": 0}}', *more]
    options = [part for text in ("captions.captioner=openai", *sets) for part in ("--set", text)]
    return run("caption", "--store", store, *options)


def meta(store):
    return Workspace(store).manifest("captions/mllm").meta


def test_a_model_that_sees_captions_and_the_manifest_says_so(run, store):
    with SeeingServer() as server:
        first = caption(run, store, server)
        assert first.code == 0 and "6 done" in first.out, first
        asked = len(server.requests)
        assert meta(store)["probe"] == "run" and meta(store)["checks"] == "enforce"
        assert "6 reused" in caption(run, store, server).out
    assert asked == 2 + 6 and len(server.requests) == asked  # nothing to do: nothing to prove


@pytest.mark.parametrize(("fault", "check"), [("blind", "pictures"), ("shapeless", "schema")])
def test_a_model_that_fails_the_probe_captions_nothing(run, store, fault, check):
    with SeeingServer(fault) as server:
        line = caption(run, store, server).line
        assert f"the model 'seeing' failed the probe '{check}'" in line and "answered" in line
        assert not Workspace(store).has("captions/mllm")
        assert not any("caption" in str(request.get("response_format")) for request in server.requests)


def test_without_the_probe_it_goes_on_and_its_captions_are_not_taken_over_by_a_run_with_it(run, store):
    with SeeingServer("blind") as server:
        assert caption(run, store, server, "captions.probe=off").code == 0
        assert meta(store)["probe"] == "off" and len(server.requests) == 6
        server.fault = None
        proven = caption(run, store, server)
    assert "6 done" in proven.out and meta(store)["probe"] == "run"


def test_captions_that_nobody_checked_are_told_of_where_they_become_features(run, store):
    with SeeingServer() as server:
        caption(run, store, server, "captions.probe=off", "captions.mllm.checks=report")
        chosen = (
            *("--set", "captions.captioner=openai"),
            *("--set", f'captions.openai={{"base_url": "{server.base_url}", "model": "seeing"}}'),
        )
        doubts = (
            "captions/mllm: 0 of 6 kept with faults (captions.mllm.checks is 'report')",
            "captions/mllm: not proven that the model sees: captions.probe is off",
        )
        for command in (("embed",), ("embed", "--dry-run"), ("doctor",)):
            ran = run(*command, "--store", store, *chosen)
            assert all(doubt in ran.out for doubt in doubts), ran


def test_the_doctor_counts_captions(run, store):
    out = run("doctor", "--store", store).out
    assert "pixels: 6 pictures and videos" in out
