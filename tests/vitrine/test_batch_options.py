"""Options of `vitrine caption` and `vitrine embed`: a plan, a part, a pause."""

import os
import signal

import pytest

from captioning.pixels import PixelsCaptioner

TABLES = (
    "--items",
    "files/items.csv",
    "--interactions",
    "files/interactions.csv",
    "--images",
    "images/{item_id}.png",
)
ONE = ("--set", "captions.job.batch_size=1", "--set", "captions.job.workers=1", "--set", "captions.job.decoders=1")


@pytest.fixture
def shop(run, files):
    ran = run("import", "table", *TABLES, "--store", "store")
    assert ran.code == 0, ran
    return files.parent / "store"


def test_a_plan_a_part_and_the_rest(run, shop):
    plan = run("caption", "--store", shop, "--dry-run")
    assert plan.out.startswith("captions/pixels: 6 pieces: 0 reused, 6 to do\n  no estimate")
    assert not (shop / "captions").exists()
    part = run("caption", "--store", shop, "--limit", 3)
    assert "3 done, 0 reused, 3 left for later" in part.out and "engine busy" in part.out
    plan = run("caption", "--store", shop, "--dry-run", "--limit", 2)
    assert "3 reused, 2 to do, 1 left for later by --limit" in plan.out and "at the rate of earlier runs" in plan.out
    assert "3 done, 3 reused" in run("caption", "--store", shop).out
    assert "nothing to do" in run("caption", "--store", shop, "--dry-run").out
    embed = run("embed", "--store", shop, "--dry-run")
    assert "embeddings/text-minilm: 6 pieces" in embed.out and "embeddings/caption-pixels-minilm: 6 pieces" in embed.out
    assert not (shop / "embeddings").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_pauses_the_command(run, shop, monkeypatch, number, code):
    caption, asked = PixelsCaptioner.caption, []

    def asked_to_stop(self, pictures):
        if not asked:
            asked.append(number)
            os.kill(os.getpid(), number)
        return caption(self, pictures)

    monkeypatch.setattr(PixelsCaptioner, "caption", asked_to_stop)
    ran = run("caption", "--store", shop, *ONE)
    assert ran.code == code and "Traceback" not in ran.err
    assert ran.err.splitlines()[-1].startswith("paused: captions/pixels: ")
    assert ran.err.splitlines()[-1].endswith(" of 6 done, run the same command to go on")
    assert run("caption", "--store", shop).code == 0


def test_an_unknown_engine_is_refused_by_name(run, shop):
    assert "'spark'" in run("caption", "--store", shop, "--engine", "spark").line


def test_a_run_says_what_it_left_alone(run, files):
    for name in ("V01", "V02"):
        (files / "images" / f"{name}.png").write_bytes(b"no picture" + name.encode())
    assert run("import", "table", *TABLES, "--store", "store").code == 0
    once = ("--store", "store", "--set", "captions.job.max_attempts=1")
    assert "4 done, 0 reused, 2 failed" in run("caption", *once).out
    again = run("caption", *once)
    assert "0 done, 4 reused, 2 failed" in again.out
    assert "  2 failed before and left alone (--retry-all tries them)" in again.out.splitlines()
    assert "2 failed" in again.err
    assert "left alone" not in run("caption", *once, "--retry-all").out


def test_captions_without_a_word_are_a_note(run, files):
    for picture in (files / "images").iterdir():
        picture.write_bytes(b"no picture" + picture.name.encode())
    assert run("import", "table", *TABLES, "--store", "store").code == 0
    assert run("caption", "--store", "store").code == 2
    line = next(line for line in run("doctor", "--store", "store").out.splitlines() if "pixels: " in line)
    assert line.startswith("--") and "pixels: 0 pictures and videos, 6 failed" in line
