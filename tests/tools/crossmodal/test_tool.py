"""`search_by_picture` through the registry: pictures of the turn, data URLs and items' own."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import pytest
from PIL import Image

from catalog.errors import ToolRetry, ToolUnavailable
from tools.base import Shopper, ToolContext
from tools.crossmodal.doubles import seeing_toy_shop
from tools.crossmodal.senses import Senses
from tools.doubles import TOY_NOW
from tools.registry import Registry


def picture(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@pytest.fixture
def shop(tmp_path):
    shop = seeing_toy_shop(tmp_path)
    yield shop
    shop.events.close()


@pytest.fixture
def search(shop):
    def called(arguments, *pictures, shop=shop):
        return Registry(shop).call(
            "search_by_picture", arguments, ToolContext(Shopper(), TOY_NOW, "r", pictures=pictures)
        )

    return called


def colours(shop, result):
    return [shop.catalog[each.item_id].attributes["colour"][0] for each in result.candidates]


def test_a_data_url_and_a_picture_of_the_turn_find_the_same(shop, search):
    by_url = search({"picture": picture("blue"), "top_n": 4})
    assert colours(shop, by_url) == ["blue"] * 4
    assert search({"picture": "2", "top_n": 4}, picture("red"), picture("blue")).candidates == by_url.candidates
    assert search({"picture": 2, "top_n": 4}, picture("red"), picture("blue")).candidates == by_url.candidates
    assert by_url.facts["searched"] == {"picture": "picture-eyes"}
    assert by_url.facts["modalities"][by_url.candidates[0].item_id] == {"picture": pytest.approx(1.0)}
    assert by_url.facts["left_out"] == ["picture: no captioner: run vitrine caption"]
    assert by_url.trace["ranked"][0]["modalities"] == {"picture": pytest.approx(1.0)}


def test_an_items_own_picture_with_words_and_filters(shop, search):
    result = search({"item_id": "M01", "query": "mug", "filters": {"price": {"max": 30}}})
    ids = [each.item_id for each in result.candidates]
    assert "M01" not in ids and all(shop.catalog[item_id].price <= 30 for item_id in ids)
    same = search({"item_id": "M01", "top_n": 3})
    assert set(colours(shop, same)) == {shop.catalog["M01"].attributes["colour"][0]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "'picture' or 'item_id' is needed, and not both"),
        ({"picture": "1", "item_id": "M01"}, "'picture' or 'item_id' is needed, and not both"),
        ({"picture": "1"}, "a data URL, since no picture came with the message, would be valid"),
        ({"picture": "/etc/passwd"}, "'picture' starts with '/etc/passwd'; a data URL such as"),
        ({"picture": "https://example.org/a.png"}, "a data URL such as"),
        ({"picture": "data:image/png;base64,AAAA"}, "not a picture of a known form"),
        ({"item_id": "X99"}, "'item_id' names what this shop does not have"),
    ],
)
def test_what_can_be_mended_is_said(search, arguments, told):
    with pytest.raises(ToolRetry) as refused:
        search(arguments)
    assert told in str(refused.value)


def test_a_number_beyond_the_pictures_of_the_turn(search):
    with pytest.raises(ToolRetry, match="'picture' is '3'; 1 to 1 would be valid"):
        search({"picture": "3"}, picture("red"))


def test_without_a_model_or_a_picture_it_is_unavailable(shop, search):
    blind = replace(shop, senses=Senses(), further={})
    with pytest.raises(ToolUnavailable, match="vitrine train clip"):
        search({"picture": picture("red")}, shop=blind)
