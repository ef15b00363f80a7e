"""The road walked whole: downloads from loopback, tiny checkpoints, killed between its steps and walked on."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.error
import urllib.request

import pytest

KILLS = (
    "after fetch", "before models", "after import begun", "before import", "after media", "before caption",
    "after embed", "after evaluate",
)  # fmt: skip


def alive(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def gone_within(port: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(port) and time.monotonic() < until:
        time.sleep(0.1)
    return not alive(port)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_road_killed_between_its_steps_does_nothing_twice(world):
    for moment in KILLS:
        code, said = world.walk("--yes", "--no-serve", dies=moment)
        assert code == -signal.SIGKILL, said
    code, said = world.walk("--yes", "--no-serve")
    assert code == 0, said

    # What was brought: each file and each picture once, each file of the hub once.
    files, pictures = (
        [path for path in world.host.asked if path.startswith(start)] for start in ("/raw/", "/images/")
    )  # fmt: skip
    assert len(files) == len(set(files)) == 2
    assert len(pictures) == len(set(pictures)) == 24
    assert len(world.hub.asked) == len(set(world.hub.asked))
    # What was worked out: a caption a picture, a vector a text (of what is said and of what was seen).
    captions = [line for line in world.logged("captions") if line.endswith("1 pictures caption")]
    assert len(captions) == 24
    log = world.logged("embeddings")
    last = max(at for at, line in enumerate(log) if line.startswith("serving "))  # for the shop, which asks in its turn
    assert sum(int(line.split()[1]) for line in log[:last] if line.startswith("embed ")) == 48
    # What it ends with.
    assert "health: ready, 24 items" in said
    assert re.search(r"^recommended to 'U\d+': .+\n  \S+", said, re.MULTILINE)
    assert "asked 'what would you recommend for me?': " in said
    for step in ("fetch", "models", "import", "media", "caption", "embed", "index", "train", "evaluate"):
        assert f"== {step}: done before" in said, said
    steps = json.loads((world.store / "real" / "state.json").read_text())["steps"]
    assert list(steps)[-1] == "check"

    # No server of any run is left, those of killed runs included.
    ports = [int(line.rpartition(" ")[2]) for role in ("captions", "embeddings", "agent")
             for line in world.logged(role) if line.startswith("serving ")]  # fmt: skip
    assert len(ports) >= 3 and all(gone_within(port, 20) for port in ports)

    # Walked once more without the internet: nothing is asked, nothing done.
    asked = len(world.host.asked), len(world.hub.asked)
    code, said = world.walk("--yes", "--no-serve")
    assert code == 0 and said.count("done before (") == 10
    assert (len(world.host.asked), len(world.hub.asked)) == asked


@pytest.mark.slow
def test_a_machine_without_a_gpu_walks_the_same_road_and_serves_until_it_is_told_to_end(world):
    embedded = ("--captioner", "pixels", "--embedder", "minilm", "--llm", "planner", "--yes", "--set", "api.port=0")
    process = world.start(*embedded)
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if opened := re.search(r"the shop is open at (http://\S+) ", line):
                break
        assert opened, "".join(said)
        with urllib.request.urlopen(f"{opened[1]}/health/ready", timeout=30) as page:
            assert json.load(page)["items"] == 24
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM
    assert rest.splitlines()[-1] == "paused: run the same command to go on"
    assert gone_within(int(opened[1].rpartition(":")[2]), 20)
    assert not world.hub.asked and "== caption" in "".join(said)
