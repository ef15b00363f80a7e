"""`POST /v1/search` with media: data URLs in, scores by modality out; hostile files are refused by name, at once."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from tools.crossmodal.doubles import seeing_toy_shop
from tools.registry import Registry


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    shop = seeing_toy_shop(tmp_path_factory.mktemp("seeing"))
    yield shop
    shop.events.close()


@pytest.fixture
def client(seeing, make):
    return make.client(make.service(seeing, Registry(seeing)))


def data_url(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def picture(colour, form="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(buffer, form)
    return data_url(f"image/{form.lower()}", buffer.getvalue())


def sound(seconds, rate=8000):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(b"\x80" * int(seconds * rate))
    return data_url("audio/wav", buffer.getvalue())


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photo.jpg", b"no photo")
    return buffer.getvalue()


def huge_png(side):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_finds_items_with_a_score_for_every_modality(client):
    answer = client.post("/v1/search", json={"image": picture("blue"), "top_n": 3})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [item["item_id"] for item in found["items"]] == ["V01", "V06", "L02"]
    assert found["searched"] == {"picture": "picture-eyes"} and found["ground"] == "example"
    assert found["items"][0]["modalities"] == {"picture": 1.0}
    assert found["left_out"] == ["picture: no captioner: run vitrine caption"]


def test_picture_voice_and_filters_together(client):
    body = {"image": picture("blue", "JPEG"), "audio": sound(1), "filters": {"price": {"max": 50}}, "top_n": 5}
    found = client.post("/v1/search", json=body).json()
    assert found["items"][0]["item_id"] == "M01" and found["heard"] == "a blue mug"
    assert set(found["items"][0]["modalities"]) == {"keyword", "text", "caption", "picture"}
    assert all(item["price"] <= 50 for item in found["items"])


def test_words_alone_have_modalities_too(client):
    found = client.post("/v1/search", json={"query": "blue vase", "top_n": 1}).json()
    assert set(found["items"][0]["modalities"]) == {"keyword", "text", "caption"}
    assert found["left_out"] == [] and found["heard"] is None and found["seen"] is None


def test_a_cursor_belongs_to_its_picture(client):
    first = client.post("/v1/search", json={"image": picture("blue"), "top_n": 4}).json()
    body = {"image": picture("blue"), "top_n": 4, "cursor": first["cursor"]}
    second = client.post("/v1/search", json=body).json()
    assert [item["rank"] for item in second["items"]] == [5, 6, 7, 8]
    other = client.post("/v1/search", json={**body, "image": picture("red")})
    assert other.status_code == 422 and other.json()["field"] == "cursor"


def test_a_film_needs_a_video_encoder_or_frames_that_can_be_looked_at(client, film):
    found = client.post("/v1/search", json={"video": data_url("video/mp4", film("blue")), "top_n": 1}).json()
    assert found["items"][0]["item_id"] == "V01" and found["searched"] == {"picture": "picture-eyes"}
    assert any("run vitrine train video" in told for told in found["left_out"])


def test_nothing_can_look(make, shop):
    client = make.client(make.service(shop, Registry(shop)))
    bodies = {"image": picture("red"), "audio": sound(1)}
    for field, url in bodies.items():
        answer = client.post("/v1/search", json={field: url})
        assert answer.status_code == 501 and answer.json()["field"] == field, answer.text


@pytest.mark.parametrize(
    ("field", "url", "told"),
    [
        ("image", data_url("image/png", huge_png(30_000)), "is 30000 x 30000 pixels; up to 50,000,000"),
        ("image", data_url("image/jpeg", zipped()), "'upload' is not a picture of a known form; JPEG, PNG"),
        ("image", data_url("image/png", np.random.default_rng(0).bytes(7_500_000)), "not a picture of a known form"),
        ("image", "data:image/png;base64," + "!" * 10_000_000, "is no base64"),
        ("image", "data:image/png;base64,", "is empty"),
        ("image", "data:image/png,AAAA", "a data URL such as 'data:image/jpeg;base64,...' would be valid"),
        ("image", "https://example.org/a.png", "a data URL such as"),
        ("image", "/etc/passwd", "a data URL such as"),
        ("image", data_url("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not a picture"),
        ("image", data_url("video/mp4", b"1234"), "a data URL such as"),
        ("audio", sound(3600, rate=1000), "lasts longer than 60 s"),
        ("audio", data_url("audio/mpeg", zipped()), "cannot be decoded as sound"),
        ("audio", picture("red"), "'data:audio/wav;base64,...' would be valid"),
        ("video", data_url("video/mp4", zipped()), "video 'upload' cannot be decoded"),
        (
            "video",
            data_url("video/mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
            "video 'upload' cannot be decoded",
        ),
        ("video", picture("red").replace("data:image", "data:video", 1), "is a still picture"),
        ("video", sound(1), "'data:video/mp4;base64,...' would be valid"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_hostile_media_are_one_line_that_names_the_field(client, field, url, told):
    answer = client.post("/v1/search", json={"query": "mug", field: url})
    assert answer.status_code == 422, answer.text[:300]
    problem = answer.json()
    assert problem["field"] == field and told in problem["detail"]
    assert problem["detail"].startswith(f"{field}: ") and "\n" not in problem["detail"] and len(problem["detail"]) < 400


def test_a_body_beyond_its_limit_is_not_read(client):
    answer = client.post("/v1/search", json={"image": "data:image/png;base64," + "A" * (13 << 20)})
    assert answer.status_code == 413


@pytest.fixture
def film():
    def made(colour):
        import av

        buffer = io.BytesIO()
        with av.open(buffer, "w", format="mp4") as container:
            stream = container.add_stream("mpeg4", rate=8)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            for _ in range(8):
                frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64), colour))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return buffer.getvalue()

    return made


def test_the_picture_tool_over_the_wire(client):
    listed = {each["name"]: each for each in client.get("/v1/tools").json()["tools"]}
    assert set(listed["search_by_picture"]["parameters"]["properties"]) >= {"picture", "item_id", "query", "filters"}
    arguments = {"picture": picture("blue"), "query": "mug", "top_n": 3}
    answer = client.post("/v1/tools/search_by_picture", json={"arguments": arguments})
    assert answer.status_code == 200, answer.text[:300]
    told = answer.json()
    assert told["items"][0]["item_id"] == "M01"
    assert told["facts"]["modalities"]["M01"]["picture"] > 0.5
    bad = client.post("/v1/tools/search_by_picture", json={"arguments": {"picture": "/etc/passwd"}})
    assert bad.status_code == 422 and "a data URL such as" in bad.json()["detail"]
