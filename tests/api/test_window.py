from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api.config import ApiConfig
from api.window import PAGE, example_wishes
from catalog.items import Catalog
from catalog.nouns import Item


def test_the_page_and_all_it_refers_to_are_served_from_here(client):
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    for path in ("/", "/docs"):
        text = client.get(path).text
        for link in re.findall(r'(?:src|href)="(/[^"#]*)"', text):
            assert client.get(link).status_code == 200, link
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize(
    "name", [path.name for path in PAGE.iterdir() if path.suffix in {".js", ".css", ".html", ".svg"}]
)
def test_nothing_comes_from_elsewhere_and_no_text_becomes_html(name):
    text = (PAGE / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text)
    if name.endswith(".html"):
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text)


def test_script_and_style_stay_small():
    assert sum(path.stat().st_size for path in PAGE.iterdir() if path.suffix in {".js", ".css"}) < 150_000


@pytest.mark.parametrize(
    "name", ["..%2fapp.py", "..%2f..%2fpyproject.toml", "%2e%2e", "nothing.js", "FONTS-OFL.txt", "app.py"]
)
def test_only_files_of_the_page_are_served(client, name):
    assert client.get(f"/page/{name}").status_code == 404


def test_page_files_are_revalidated_by_tag(client):
    tag = client.get("/page/app.js").headers["etag"]
    assert client.get("/page/app.js", headers={"If-None-Match": tag}).status_code == 304


def test_page_files_go_packed_to_those_who_take_it(client):
    for name in ("app.js", "rooms.css"):
        packed = client.get(f"/page/{name}", headers={"Accept-Encoding": "br, gzip"})
        plain = client.get(f"/page/{name}", headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
        assert packed.text == plain.text and int(packed.headers["content-length"]) < len(plain.content) / 2
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.headers["etag"] != plain.headers["etag"]
        for each in (packed, plain):
            again = {"If-None-Match": each.headers["etag"]}
            assert client.get(f"/page/{name}", headers=again).status_code == 304
    font = client.get("/page/inter.woff2", headers={"Accept-Encoding": "gzip"})  # packed already
    assert "content-encoding" not in font.headers
    refused = client.get("/page/app.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_every_module_of_the_page_is_asked_for_at_once():
    """A module known only from another one's imports is asked for one journey later."""
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    imported = {name for path in PAGE.glob("*.js") for name in re.findall(r'from "\./([\w-]+\.js)"', path.read_text())}
    assert imported == set(re.findall(r'rel="modulepreload" href="/page/([\w-]+\.js)"', index))


def test_the_shop_in_a_few_words(client):
    body = client.get("/v1/shop").json()
    assert (body["name"], body["items"], body["currency"], body["mind"]) == ("toy", 30, "EUR", "planner")
    assert set(body["categories"]) == {"vases", "lamps", "scarves", "bags", "mugs"}
    assert 1 <= len(body["examples"]) <= 4


def test_as_many_are_on_offer_as_the_catalogue_of_the_page_shows(client):
    shown = client.post("/v1/facets", json={"filters": {"available": True}}).json()["total"]
    assert 0 < client.get("/v1/shop").json()["on_offer"] == shown < 30


def test_example_wishes_come_from_the_catalogue_or_the_settings(make, shop, registry):
    config = ApiConfig(example_wishes=("A present",))
    client = make.client(make.service(shop, registry, config=config))
    assert client.get("/v1/shop").json()["examples"] == ["A present"]
    # The dearer half of three prices begins at 12, rounded up to 15.
    priced = [Item(f"{n}", categories=("Mugs",), price=price) for n, price in enumerate((3.0, 12.0, 40.0))]
    assert example_wishes(Catalog(priced)) == ["Mugs under 15"]
    assert example_wishes(Catalog([Item("a", categories=("Drama",))])) == ["Show me drama"]
    assert example_wishes(Catalog([Item("a")])) == []


def test_a_shop_without_categories_or_pictures_opens(make, shop, registry):
    bare = replace(shop, catalog=Catalog([Item("a", title="A"), Item("b")]), captions={})
    client = make.client(make.service(bare, registry))
    assert client.get("/v1/shop").json()["examples"] == []
    assert client.get("/v1/items/b").json()["image"] is None
