"""A picture beside a message: the planner searches by it, together with the words, and says what it scored."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.config import AgentConfig
from agent.doubles import Talk, ids_of
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.planner_pictures import unpointed
from tools.crossmodal.doubles import seeing_toy_shop
from tools.crossmodal.senses import Senses
from tools.doubles import TOY_NOW
from tools.registry import Registry
from tools.shop import Shop


def picture(colour: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = seeing_toy_shop(tmp_path)
    yield opened
    opened.events.close()


@pytest.fixture
def talk(shop: Shop) -> Iterator[Callable[..., Talk]]:
    with asyncio.Runner() as runner:

        def begin(**changes: Any) -> Talk:
            opened = replace(shop, **changes)
            agent = Agent(
                opened, Registry(opened), Minds(ShopPlanner(opened.catalog, opened.embedder)), AgentConfig(),
                now=lambda: TOY_NOW,
            )  # fmt: skip
            return Talk(agent, runner)

        yield begin


def colours(shop: Shop, item_ids: list[str]) -> list[str]:
    return [shop.catalog[item_id].attributes["colour"][0] for item_id in item_ids]


@pytest.mark.parametrize(
    "message", ["", "something like this", "do you have this?", "similar to this picture", "hello"]
)
def test_a_picture_without_a_wish_of_its_own_finds_what_looks_like_it(talk, shop, message):
    answer = talk().say(message, images=(picture("blue"),), top_n=4)
    assert answer.outcome == "recommended" and colours(shop, ids_of(answer)) == ["blue"] * 4
    assert not any("picture" in line for line in answer.disclosures)


def test_text_and_picture_together_and_the_scores_in_the_evidence(talk, shop):
    answer = talk().say("a mug like this", images=(picture("blue"),))
    assert ids_of(answer)[0] == "M01"
    first = {each.name: each for each in answer.recommendations[0].evidence if each.kind == "signal"}
    # The double's eyes see in "mug" another direction than in blue: the query lies between the two.
    assert first["picture"].value == pytest.approx(2**-0.5, abs=1e-4)
    assert first["picture"].text == "likeness of its picture: 0.71"
    assert {"keyword", "text", "caption", "picture"} <= set(first)
    assert all(shop.catalog[item_id].categories[-1].casefold() == "mugs" for item_id in ids_of(answer))


def test_words_beside_a_picture_filter_what_it_finds(talk, shop):
    answer = talk().say("like this picture, under 20", images=(picture("blue"),))
    assert answer.recommendations and all(each.price < 20 for each in answer.recommendations)
    assert colours(shop, ids_of(answer))[0] == "blue"


def test_the_trace_tells_of_the_search_and_holds_no_picture(talk):
    conversation = talk()
    answer = conversation.say("a mug", images=(picture("blue"),))
    trace = conversation.trace(answer)
    (run,) = [run for run in trace["tools"] if run["tool"] == "search_by_picture"]
    assert run["arguments"]["picture"] == "1" and "base64" not in str(trace)


def test_a_question_about_items_leaves_the_picture_alone_and_says_so(talk):
    answer = talk().say("which is the cheapest mug?", images=(picture("blue"),))
    assert "I did not look at the picture for that." in answer.disclosures


def test_what_cannot_be_looked_at_is_said_and_words_are_searched_all_the_same(talk):
    blind = talk(senses=Senses(), further={})
    answer = blind.say("a blue mug", images=(picture("blue"),))
    assert ids_of(answer)[0] == "M01" and any("no model for pictures" in line for line in answer.disclosures)
    nothing = blind.say("", images=(picture("blue"),))
    assert not nothing.recommendations and any("no model for pictures" in line for line in nothing.disclosures)
    broken = talk().say("a blue mug", images=("data:image/png;base64,iVBORw0KGgo=",))
    assert ids_of(broken)[0] == "M01" and "I could not open the picture." in broken.disclosures


def test_of_several_pictures_the_first_is_looked_at(talk, shop):
    answer = talk().say("", images=(picture("blue"), picture("red")), top_n=3)
    assert (
        set(colours(shop, ids_of(answer))) == {"blue"} and "I looked at the first picture only." in answer.disclosures
    )


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("a picture frame", "a picture frame"),
        ("a mug similar to this picture", "a mug"),
        ("something like this photo in red", "in red"),
        ("looking for a vase", "looking for a vase"),
        ("what looks like my picture?", "what ?"),
    ],
)
def test_only_words_that_point_at_the_picture_are_left_out(message, left):
    assert unpointed(message) == left
