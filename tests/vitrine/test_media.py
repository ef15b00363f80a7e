from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from captioning.job import load_captions
from catalog.media.scripted_host import Reply, ScriptedHost
from catalog.workspace import Workspace

COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200), "green": (20, 160, 20)}


def jpeg(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A host with a picture of each colour that the settings allow."""
    with ScriptedHost({f"/{name}.jpg": Reply(jpeg(colour)) for name, colour in COLOURS.items()}) as served:
        monkeypatch.setenv("VITRINE_MEDIA__ALLOW_HOSTS", '["127.0.0.1"]')
        monkeypatch.setenv("VITRINE_MEDIA__PORTS", f"[{served.port}]")
        monkeypatch.setenv("VITRINE_MEDIA__BACKOFF", "0.01")
        yield served


def amazon(folder: Path, urls: dict[str, str]) -> None:
    """A category whose products have one picture each."""
    folder.mkdir()
    (folder / "meta_Toys.jsonl").write_text(
        "".join(
            json.dumps({"parent_asin": item, "title": item, "images": [{"large": url, "hi_res": None}]}) + "\n"
            for item, url in urls.items()
        )
    )
    (folder / "Toys.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "user_id": f"u{user}",
                    "parent_asin": item,
                    "asin": item,
                    "rating": 5.0,
                    "timestamp": 1_588_687_728_000,
                }
            )
            + "\n"
            for user in range(3)
            for item in urls
        )
    )


def test_amazon_s_pictures_by_url_are_brought_and_captioned(host: ScriptedHost, run: Callable[..., Any]) -> None:
    amazon(Path("toys"), {name: host.url(f"/{name}.jpg") for name in COLOURS} | {"gone": host.url("/gone.jpg")})
    assert run("import", "amazon", "toys", "--store", "s").code == 0
    assert "4 by URL, 4 of them not here yet" in run("media", "--dry-run", "--store", "s").out
    assert not host.asked
    ran = run("media", "--store", "s")
    assert ran.code == 0 and "media: 3 fetched" in ran.out and "1 failed" in ran.out
    assert "1 HTTP 404, the first: 'http://127.0.0.1:" in ran.out
    assert pl.read_parquet("s/media/failures.parquet")["reason"].to_list() == ["HTTP 404"]
    host.acts["/gone.jpg"] = Reply(jpeg((250, 250, 250)))
    host.asked.clear()
    ran = run("caption", "--store", "s")  # brings what is missing first
    assert ran.code == 0 and "media: 1 fetched" in ran.out and host.asked == ["/gone.jpg"]
    captions = load_captions(Workspace("s"), "pixels")
    assert set(captions) == {*COLOURS, "gone"}
    assert all(name in captions[name][0].text for name in COLOURS)
    assert "media:" not in run("caption", "--store", "s").out and host.asked == ["/gone.jpg"]


def test_caption_alone_brings_them_unless_told_not_to(host: ScriptedHost, run: Callable[..., Any]) -> None:
    amazon(Path("toys"), {name: host.url(f"/{name}.jpg") for name in COLOURS})
    run("import", "amazon", "toys", "--store", "s")
    ran = run("caption", "--store", "s", "--set", "captions.job.fetch=false")
    assert ran.code == 2 and "has not been fetched: run vitrine media" in ran.err and not host.asked
    ran = run("caption", "--store", "s")
    assert ran.code == 0 and "media: 3 fetched" in ran.out
    assert set(load_captions(Workspace("s"), "pixels")) == set(COLOURS)


def test_without_the_setting_this_machine_is_not_asked(
    host: ScriptedHost, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_MEDIA__ALLOW_HOSTS", "[]")
    amazon(Path("toys"), {"red": host.url("/red.jpg")})
    run("import", "amazon", "toys", "--store", "s")
    ran = run("media", "--store", "s")
    assert "1 refused address" in ran.out and "which is loopback" in ran.out and not host.asked


def test_a_shop_without_urls_has_nothing_to_bring(run: Callable[..., Any]) -> None:
    Path("items.csv").write_text("id,title\n1,one\n")
    run("import", "table", "--items", "items.csv", "--store", "s")
    assert "names none by URL" in run("media", "--store", "s").out
    assert run("media", "--store", "elsewhere").code == 2


def test_pictures_of_a_table_may_lie_in_an_archive(run: Callable[..., Any]) -> None:
    Path("shop").mkdir()
    Path("shop/items.csv").write_text("sku,title\n" + "".join(f"{name},a thing\n" for name in [*COLOURS, "none"]))
    with zipfile.ZipFile("shop/photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, colour in COLOURS.items():
            archive.writestr(f"front/{name}.jpg", jpeg(colour))
    pictures = "photos.zip!/front/{sku}.jpg"
    ran = run(
        "import", "table", "--items", "shop/items.csv", "--column", "item_id=sku", "--images", pictures, "--store", "s"
    )
    assert ran.code == 0, ran.err
    assert run("caption", "--store", "s").code == 0
    captions = load_captions(Workspace("s"), "pixels")
    assert set(captions) == set(COLOURS) and all(name in captions[name][0].text for name in COLOURS)


def test_one_missing_url_is_one_line_and_what_is_here_is_counted(host: ScriptedHost, run: Callable[..., Any]) -> None:
    amazon(Path("toys"), {name: host.url(f"/{name}.jpg") for name in COLOURS} | {"gone": host.url("/gone.jpg")})
    run("import", "amazon", "toys", "--store", "s")
    plan = run("caption", "--dry-run", "--store", "s").out
    assert "4 by URL, not fetched yet: the run fetches them first" in plan and "unreadable" not in plan
    assert "nothing to do" not in plan and not host.asked
    plan = run("caption", "--dry-run", "--store", "s", "--set", "captions.job.fetch=false").out
    assert "4 unreadable" in plan and "nothing to do" in plan
    assert run("caption", "--store", "s").code == 0
    lines = run("caption", "--store", "s").out.splitlines()
    assert len(lines) == 3 and lines[2].startswith("next: "), lines
    assert lines[0].startswith("media: 0 fetched (0.0 MB), 3 here already, 1 failed, ")
    assert "; HTTP 404, the first: 'http://127.0.0.1:" in lines[0]
    assert lines[1].startswith("captions/pixels: 0 done, 3 reused, 1 failed, ")


def test_a_first_run_by_refused_urls_ends_with_the_setting(
    host: ScriptedHost, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon(Path("toys"), {name: host.url(f"/{name}.jpg") for name in COLOURS})
    run("import", "amazon", "toys", "--store", "s")
    monkeypatch.delenv("VITRINE_MEDIA__PORTS")
    ran = run("caption", "--store", "s")
    assert ran.code == 2 and f"port {host.port} is not asked; 80, 443 (media.ports) would be valid" in ran.line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_pauses_it_with_the_line_of_every_job(
    host: ScriptedHost, run: Callable[..., Any], number: signal.Signals
) -> None:
    def slow(handler: Any) -> Reply:
        time.sleep(0.2)
        return Reply(jpeg(COLOURS["red"]))

    host.acts |= {f"/{n}.jpg": slow for n in range(200)}
    amazon(Path("toys"), {str(n): host.url(f"/{n}.jpg") for n in range(200)})
    run("import", "amazon", "toys", "--store", "s")
    command = (sys.executable, "-m", "vitrine", "media", "--store", "s", "--set", "media.per_host=2")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as job:
        while len(host.asked) < 5:
            assert job.poll() is None
            time.sleep(0.01)
        job.send_signal(number)
        said = job.communicate(timeout=30)[1]
    assert job.returncode == 128 + number
    assert re.search(r"^paused: media: \d+ of 200 done, run the same command to go on$", said, re.MULTILINE), said
