"""Queries of several media over the toy shop, whose pictures are discs in the item's first colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from catalog.errors import MediaError, NotBuiltError, ToolUnavailable
from catalog.filters import Filters
from tools.base import Shopper
from tools.crossmodal.config import CrossModalConfig
from tools.crossmodal.doubles import seeing_toy_shop
from tools.crossmodal.media import MediaQuery, read_query
from tools.crossmodal.search import find
from tools.crossmodal.senses import Senses, missing
from tools.doubles import TOY_NOW, toy_shop
from tools.pipeline.nouns import PipelineRequest

BLUE = Image.new("RGB", (40, 40), "blue")
VOICE = np.zeros(16_000, np.float32)


@pytest.fixture
def shop(tmp_path):
    shop = seeing_toy_shop(tmp_path)
    yield shop
    shop.events.close()


def found(shop, query, **request):
    return find(shop, query, PipelineRequest(Shopper(), TOY_NOW, **{"top_n": 30, **request}))


def ids(answer):
    return [each.item_id for each in answer.result.ranked]


def test_a_picture_finds_what_looks_like_it(shop):
    answer = found(shop, MediaQuery(picture=BLUE))
    blue = {item.item_id for item in shop.catalog if item.attributes["colour"][0] == "blue"}
    assert set(ids(answer)[: len(blue)]) == blue
    assert answer.searched == {"picture": "picture-eyes"}
    assert answer.wish.words is None and answer.result.ground == "example"
    # The disc covers the middle of every picture: all that is compared is its colour.
    assert answer.scores["M01"]["picture"] == pytest.approx(1.0) and answer.scores["M02"]["picture"] == 0.0
    assert answer.wish.left_out == ("picture: no captioner: run vitrine caption",)


def test_picture_and_words_together_beat_either_alone(shop):
    """The only blue mug: of a picture's six blue things one is a mug, of six mugs one is blue."""
    seen, said = MediaQuery(picture=BLUE), MediaQuery("mug")
    both = found(shop, MediaQuery("mug", picture=BLUE))
    assert ids(both)[0] == "M01"
    assert ids(found(shop, said))[0] != "M01" and ids(found(shop, seen))[0] != "M01"
    scores = both.scores["M01"]
    assert set(scores) == {"keyword", "text", "caption", "picture"} == set(both.searched)
    assert scores["keyword"] > 0 and scores["text"] > 0
    # The eyes know no mug: half of what is looked for among pictures is blue, the other half shows nowhere.
    assert scores["picture"] == pytest.approx(2**-0.5)
    assert both.scores["V01"]["keyword"] == 0.0


def test_every_way_counts_on_one_scale(shop):
    """By the definition: (cosine - mean) / (best - mean), where six of thirty are blue and the mean is 6/30."""
    seen = {each.item_id: each.features["relevance"] for each in found(shop, MediaQuery(picture=BLUE)).result.ranked}
    assert seen["V01"] == 1.0 and seen["V02"] == 0.0
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:4] = (0, 0, 255)
    picture[4:] = (255, 0, 0)
    halves = found(shop, MediaQuery(picture=Image.fromarray(picture)), filters=Filters(brand=("Norrvik",)))
    mixed = {each.item_id: each.features["relevance"] for each in halves.result.ranked}
    # Half blue and half red: each is the best there is, 1/sqrt(2), and nobody is punished for the other half.
    assert mixed["S01"] == 1.0 and mixed["B02"] == 0.0


def test_ranks_in_place_of_scores(tmp_path):
    shop = seeing_toy_shop(tmp_path, config=CrossModalConfig(unite="ranks"))
    answer = found(shop, MediaQuery(picture=BLUE))
    # One source: 1 / (60 + rank) over 1 / 61; everything out of stock is left out after the ranks are given.
    assert answer.result.ranked[0].features["relevance"] == 1.0
    assert answer.result.ranked[1].features["relevance"] == pytest.approx(61 / 62)
    shop.events.close()


def test_a_voice_is_heard_as_words(shop):
    answer = found(shop, MediaQuery(voice=VOICE))
    assert ids(answer)[0] == "M01" and answer.wish.heard == answer.wish.words == "a blue mug"
    assert ids(answer) == ids(found(shop, MediaQuery("a blue mug")))
    assert found(shop, MediaQuery("under the arm", voice=VOICE)).wish.words == "under the arm a blue mug"


def test_words_alone_are_what_the_pipeline_always_made_of_them(shop):
    answer = found(shop, MediaQuery("blue vase"))
    assert "picture" not in answer.searched and answer.request.vectors == {}


def test_words_see_where_the_settings_say_so(tmp_path):
    shop = seeing_toy_shop(tmp_path, config=CrossModalConfig(words_see=True))
    answer = found(shop, MediaQuery("blue"))
    assert answer.searched["picture"] == "picture-eyes" and answer.scores["M01"]["picture"] == pytest.approx(1.0)
    shop.events.close()


def test_weights_say_what_counts(tmp_path):
    shop = seeing_toy_shop(tmp_path, config=CrossModalConfig(weights={"picture": 0, "keyword": 2}))
    answer = found(shop, MediaQuery("mug", picture=BLUE))
    assert "picture" not in answer.searched and set(ids(answer)[:5]) == {"M01", "M02", "M03", "M04", "M06"}
    shop.events.close()


def test_filters_sort_and_examples_hold_as_everywhere(shop):
    cheap = found(shop, MediaQuery(picture=BLUE), filters=Filters(category=("vases",)))
    assert ids(cheap)[:2] == ["V01", "V06"] and all(each.startswith("V") for each in ids(cheap))
    # What is not blue is not about the picture, however cheap.
    assert ids(found(shop, MediaQuery(picture=BLUE), sort="price_asc")) == ["M01", "V01", "S01", "L02", "B03", "V06"]
    assert "V01" not in ids(found(shop, MediaQuery(picture=BLUE), like=("V01",)))
    red = Image.new("RGB", (8, 8), "red")
    assert ids(found(shop, MediaQuery(picture=red), unlike=("B04",)))[0] == "S02"


def test_pages_follow_each_other(shop):
    whole = ids(found(shop, MediaQuery("vase", picture=BLUE)))
    pages = [ids(found(shop, MediaQuery("vase", picture=BLUE), top_n=5, offset=n)) for n in (0, 5)]
    assert [*pages[0], *pages[1]] == whole[:10]


def test_an_item_without_a_picture_has_no_score_there(shop):
    table = shop.further["picture-eyes"]
    some = replace(table, ids=type(table.ids)(table.ids.ids[:6]), vectors=table.vectors[:6])
    answer = found(replace(shop, further={"picture-eyes": some}), MediaQuery("mug", picture=BLUE))
    assert answer.scores["M02"]["picture"] is None


def test_what_no_model_can_look_at_is_said(shop, tmp_path):
    bare = replace(shop, senses=Senses())
    with pytest.raises(NotBuiltError, match=r"^picture: no picture-text model: run vitrine train clip"):
        found(bare, MediaQuery(picture=BLUE))
    with pytest.raises(NotBuiltError, match=r"^voice: no speech model"):
        found(bare, MediaQuery(voice=VOICE))
    (tmp_path / "plain").mkdir()
    plain = replace(toy_shop(tmp_path / "plain"), senses=shop.senses)
    with pytest.raises(
        NotBuiltError, match=r"^picture: the space 'picture-eyes' is not in the shop: run vitrine embed"
    ):
        found(plain, MediaQuery(picture=BLUE))
    plain.events.close()


def test_a_voice_without_words(tmp_path):
    shop = seeing_toy_shop(tmp_path, hears=None)
    with pytest.raises(MediaError, match=r"^voice: nothing was heard \(silence\)"):
        found(shop, MediaQuery(voice=VOICE))
    answer = found(shop, MediaQuery("mug", voice=VOICE))
    assert answer.wish.words == "mug" and "nothing was heard" in answer.wish.left_out[0]
    shop.events.close()


def test_only_so_many_at_once():
    senses = Senses(CrossModalConfig(at_once=1, wait_seconds=0))
    with senses.turn(), pytest.raises(ToolUnavailable, match="1 queries"), senses.turn():
        pass
    with senses.turn():
        pass


def test_what_is_missing_is_looked_for_again():
    tries = []

    def opened():
        tries.append(1)
        if len(tries) == 1:
            raise NotBuiltError("not yet")
        return "eyes"

    from tools.crossmodal.senses import Sense

    sense = Sense(opened)
    with pytest.raises(NotBuiltError, match="not yet"):
        sense.get()
    assert sense.get() == sense.get() == "eyes" and len(tries) == 2
    with pytest.raises(NotBuiltError, match="nothing"):
        missing("nothing").get()


def test_read_query_takes_words_alone():
    assert read_query(Senses(), "  a mug ").text == "a mug" and not read_query(Senses(), " ").shows
