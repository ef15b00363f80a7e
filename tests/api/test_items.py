from __future__ import annotations

import io
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from api.pictures import Pictures
from catalog.errors import NotFoundError
from catalog.items import Catalog
from catalog.nouns import Item


def test_the_record_with_what_was_read_from_its_picture(client, shop):
    body = client.get("/v1/items/V01").json()
    item = shop.catalog["V01"]
    assert body["title"] == item.title and body["price"] == 24.0 and body["categories"] == ["home", "vases"]
    assert body["attributes"] == {"colour": ["blue"], "material": ["glass"]}
    assert body["image"] == "/v1/items/V01/picture" and body["pictures"] == 1
    assert body["captions"] == [{"text": shop.captions["V01"][0].text, "model": "toy", "frame_time": None}]
    assert client.get("/v1/items/M06").json()["price"] is None
    assert "media/" not in str(body)


STRANGE = [
    "nothing",
    "V01 ",
    "v01",
    "..",
    "../V01",
    "a/b",
    "%2e%2e%2fetc%2fpasswd",
    "\u202e",
    "😀",
    "'; drop--",
    "x" * 3000,
]


@pytest.mark.parametrize("item_id", STRANGE)
@pytest.mark.parametrize("tail", ["", "/similar", "/picture"])
def test_unknown_items_are_404(client, item_id, tail):
    answer = client.get(f"/v1/items/{quote(item_id, safe='')}{tail}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_ids_are_verbatim_whatever_they_hold(make, shop, registry):
    ids = ["007", "a/b", "ü ß", "x?y#z", "%41", "similar", "a/similar/b"]
    strange = replace(shop, catalog=Catalog([*shop.catalog, *(Item(i, title=f"Thing {i}") for i in ids)]))
    with make.running(make.service(strange, registry)) as address:  # the test client decodes addresses twice
        answers = {item_id: httpx.get(f"{address}/v1/items/{quote(item_id, safe='')}") for item_id in ids}
    for item_id, answer in answers.items():
        assert answer.status_code == 200, item_id
        assert answer.json()["item_id"] == item_id


def test_similar_leaves_the_item_out(client):
    body = client.get("/v1/items/V01/similar?top_n=4").json()
    ids = [item["item_id"] for item in body["items"]]
    assert len(ids) == 4 and "V01" not in ids
    assert body["ground"] == "example" and body["request_id"]


@pytest.mark.parametrize("top_n", ["0", "1000000", "NaN", "ten", "-1", ""])
def test_similar_refuses_a_strange_top_n(client, top_n):
    answer = client.get(f"/v1/items/V01/similar?top_n={top_n}")
    assert answer.status_code == 422 and answer.json()["field"] == "top_n"


def test_a_picture_is_scaled_and_cached_by_its_tag(client):
    answer = client.get("/v1/items/V01/picture?size=50")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    assert max(picture.size) == 64  # the toy's own size; pictures are never enlarged
    tag = answer.headers["etag"]
    again = client.get("/v1/items/V01/picture?size=50", headers={"If-None-Match": tag})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    assert client.get("/v1/items/V02/picture?size=50").headers["etag"] != tag


@pytest.mark.parametrize("query", ["size=0", "size=5000", "size=NaN", "n=-1", "size=1;drop"])
def test_bad_picture_requests_name_the_field(client, query):
    answer = client.get(f"/v1/items/V01/picture?{query}")
    assert answer.status_code == 422 and answer.json()["field"] == query[: query.index("=")]


def test_there_is_no_second_picture(client):
    assert client.get("/v1/items/V01/picture?n=1").status_code == 404


def pictures_of(folder, *refs: str) -> tuple[Pictures, Item]:
    return Pictures(folder, (100, 200)), Item("x", images=refs)


def test_sizes_are_rounded_up_to_one_that_is_served(tmp_path):
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "a.png")
    pictures, item = pictures_of(tmp_path, "a.png")
    for asked, side in ((1, 100), (100, 100), (101, 200), (4096, 200)):
        made = Image.open(io.BytesIO(pictures.thumbnail(item, 0, asked).data))
        assert made.size == (side, side * 3 // 4)


def test_a_changed_file_is_read_again(tmp_path):
    pictures, item = pictures_of(tmp_path, "a.png")
    Image.new("RGB", (10, 10), "teal").save(tmp_path / "a.png")
    first = pictures.thumbnail(item, 0, 100)
    Image.new("RGB", (20, 20), "tomato").save(tmp_path / "a.png")
    assert pictures.thumbnail(item, 0, 100).tag != first.tag


@pytest.mark.parametrize("ref", ["../secret.png", "missing.png", "broken.png", "file:///etc/passwd", "a/../../b", ""])
def test_what_cannot_be_shown_is_404_without_naming_files(tmp_path, ref, caplog):
    store = tmp_path / "store"
    store.mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (store / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    pictures, item = pictures_of(store, ref)
    with pytest.raises(NotFoundError) as caught:
        pictures.thumbnail(item, 0, 100)
    assert str(tmp_path) not in str(caught.value) and "secret" not in str(caught.value)


def test_the_cache_keeps_to_its_bytes(tmp_path):
    refs = [f"{n}.png" for n in range(8)]
    for n, ref in enumerate(refs):
        Image.effect_noise((90, 90), 40 + n).save(tmp_path / ref)
    one = len(Pictures(tmp_path, (100,)).thumbnail(Item("x", images=(refs[0],)), 0, 100).data)
    pictures = Pictures(tmp_path, (100,), cache_bytes=3 * one)
    for n in range(8):
        pictures.thumbnail(Item("x", images=tuple(refs)), n, 100)
    assert pictures._held <= 3 * one and pictures._held == sum(len(t.data) for t in pictures._kept.values())
