"""What comes as a picture, a film or a voice and is none, or is more than it says: refused within the caps."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image, PngImagePlugin

from api.app import create_app
from api.config import ApiConfig


def png(width: int, height: int, data: bytes = b"\0") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def real(form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 20, 20)).save(buffer, form)
    return buffer.getvalue()


def worded() -> bytes:
    """A picture whose text chunk unpacks to 60 MB."""
    buffer, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 60_000_000, zip=True)
    Image.new("RGB", (16, 16)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


BAD = {
    "huge sides": png(65_500, 65_500),
    "sides beyond sense": png(2**31 - 1, 2**31 - 1),
    "a decompression bomb": png(30_000, 30_000, bytes(40_000_000)),
    "no pixels": png(0, 0),
    "a text": b"<html><script>alert(1)</script></html>",
    "a vector drawing": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a document type with entities": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run",
    "a document": b"%PDF-1.7\n" + bytes(300),
    "a program": b"\x7fELF" + bytes(300),
    "an archive": b"PK\x03\x04" + bytes(300),
    "a packed bomb": gzip.compress(bytes(20_000_000)),
    "nothing": b"",
    "half a picture": real("JPEG")[:40],
    "only its first bytes": b"\x89PNG\r\n\x1a\n",
}


def url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_by_its_field(client, name):
    began, _ = time.monotonic(), tracemalloc.start()
    answer = client.post("/v1/search", json={"image": url(BAD[name])})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 422 and answer.json()["field"] == "image", answer.text
    assert "Traceback" not in answer.text and "/tmp" not in answer.text
    assert peak < 64 << 20, "the caps hold before anything is unpacked"
    assert time.monotonic() - began < 60


def test_a_bomb_inside_a_sound_picture_does_not_go_off(client):
    answer = client.post("/v1/search", json={"image": url(worded())})
    assert answer.status_code in (422, 501)  # 501: read, and no model is here to look at it


@pytest.mark.parametrize(
    "given",
    [
        "data:image/png;base64,@@@", "data:image/png;base64,iVBORw0KGgo", "data:image/png,raw", "data:;base64,AAAA",
        "data:text/html;base64,AAAA", "data:image/svg+xml;base64,AAAA", "http://127.0.0.1:1/x.png", "/etc/passwd",
        "file:///etc/passwd", "data:image/png;base64," + "A" * 41, "",
    ],
)  # fmt: skip
def test_an_address_that_is_no_data_is_refused_unread(client, given):
    assert client.post("/v1/search", json={"image": given, "query": "mug"}).status_code == 422


@pytest.mark.parametrize("field", ["video", "audio"])
@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"\x7fELF" + bytes(99), BAD["a packed bomb"], b"RIFF\xff\xff\xff\xff"]
)
def test_what_is_no_film_or_voice_is_refused(client, field, data):
    kind = "video/mp4" if field == "video" else "audio/wav"
    answer = client.post("/v1/search", json={field: url(data, kind)})
    assert answer.status_code in (422, 501) and answer.json()["field"] == field


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(200), b"%PDF-1.7\n"])
@pytest.mark.parametrize("form", ["PNG", "GIF", "JPEG"])
def test_a_picture_that_is_something_else_besides_is_given_as_a_picture_alone(shop, tmp_path, form, tail):
    """What is served was painted anew from the pixels: whatever was hidden behind them stays behind."""
    from api.pictures import Pictures
    from catalog.nouns import Item

    (tmp_path / "both").write_bytes(real(form) + tail)
    given = Pictures(tmp_path, (160,)).thumbnail(Item("X", images=("both",)), 0, 160)
    assert tail not in given.data and given.kind in ("image/jpeg", "image/png")


def test_a_slow_body_is_given_up(make, shop, registry):
    """One byte a tenth of a second, for ever."""
    service = make.service(shop, registry, config=ApiConfig(max_body_seconds=0.3))
    app = create_app(service)
    sent: list[dict] = []

    async def drip() -> dict:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/search", "raw_path": b"/v1/search", "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")], "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, drip, send), 20))
    assert sent[0]["status"] == 408 and b"0.3 s" in sent[1]["body"]


def test_an_endless_body_is_cut_at_the_cap(make, shop, registry):
    config = ApiConfig(max_body_bytes=2048, max_picture_body_bytes=4096)
    client = make.client(make.service(shop, registry, config=config))
    given = [0]

    def endless():
        for _ in range(10_000):
            given[0] += 1024
            yield b" " * 1024

    for path in ("/v1/search", "/v1/recommendations", "/v1/chat"):
        answer = client.post(path, content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, path
