"""The planner inside a real LlamaIndex FunctionAgent, with fake tools whose answers the tests write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import FunctionTool

from agent.base import ShownItem
from agent.planner import PlannerLLM
from agent.planner_calls import fits
from agent.understanding.intent import IntentState
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish
from catalog.filters import Filters
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_items

# LlamaIndex looks through every attribute of its own agents, deprecated ones of pydantic included.

TOY = Catalog(toy_items())
UNDERSTANDER = Understander(Vocabulary(TOY))
Answers = dict[str, Callable[[dict[str, Any]], str]]


def entry(handle: str, item: Item) -> dict[str, Any]:
    return {
        "handle": handle, "title": item.title, "price": item.price, "currency": item.currency, "brand": item.brand,
        "categories": list(item.categories), "attributes": {n: list(v) for n, v in item.attributes.items()},
        "rating": item.rating, "available": item.availability, "caption": None, "why": None,
        "description": item.description,
    }  # fmt: skip


def message(*ids: str, text: str = "", error: dict[str, Any] | None = None, **facts: Any) -> str:
    """A tool message about toy items; an item's handle is its place in the catalogue."""
    items = [entry(f"#{TOY.ids.row(i) + 1}", TOY[i]) for i in ids]
    return json.dumps({"text": text, "items": items, "facts": facts, "error": error})


def find(arguments: dict[str, Any]) -> str:
    """A search that filters the toy catalogue for real."""
    wanted = Filters.model_validate(arguments.get("filters") or {})
    found = [item.item_id for item in TOY if wanted.matches(item)]
    return message(*found[: arguments.get("top_n") or 10], total=len(found), nearest=False)


class Talk:
    """A conversation with the planner; keeps every tool call."""

    def __init__(self, **answers: Callable[[dict[str, Any]], str]) -> None:
        self.answers: Answers = {"search_items": find, **answers}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.state: IntentState | None = None
        self.mind: PlannerLLM | None = None
        self.deltas: list[str] = []

    def say(self, said: str, top_n: int = 5) -> str:
        return asyncio.run(self._say(said, top_n))

    async def _say(self, said: str, top_n: int) -> str:
        self.calls, self.deltas = [], []
        self.mind = PlannerLLM(understander=UNDERSTANDER, state=self.state, top_n=top_n)
        agent = FunctionAgent(name="shop", llm=self.mind, tools=[self._tool(name) for name in self.answers])
        handler = agent.run(user_msg=said)
        async for event in handler.stream_events():
            if isinstance(event, AgentStream) and event.delta:
                self.deltas.append(event.delta)
        result = await handler
        self.state = self.mind.state
        return str(result.response.content)

    def _tool(self, name: str) -> FunctionTool:
        async def call(**arguments: Any) -> str:
            given = arguments.get("kwargs", arguments)
            self.calls.append((name, given))
            return self.answers[name](given)

        return FunctionTool.from_defaults(async_fn=call, name=name, description=name)


def test_a_wish_becomes_one_search_and_an_answer_by_handles() -> None:
    talk = Talk()
    answer = talk.say("a blue mug under 20")
    assert talk.calls == [
        ("search_items", {"query": "blue mug", "top_n": 5, "filters": {
            "category": ["mugs"], "attributes": {"colour": ["blue"]}, "price": {"max": 19.99}}})
    ]  # fmt: skip
    assert "#25" in answer
    assert talk.mind is not None
    assert (talk.mind.outcome, talk.mind.listed) == ("recommended", ("#25",))


def test_the_answer_streams_in_small_deltas() -> None:
    talk = Talk()
    answer = talk.say("show me lamps")
    assert "".join(talk.deltas) == answer
    assert len(talk.deltas) > 10


def test_the_state_carries_over_and_never_exceeds_top_n() -> None:
    talk = Talk()
    talk.say("lamps", top_n=3)
    assert talk.state is not None
    assert talk.state.last_list == ("#7", "#8", "#9")
    talk.say("cheaper than the second", top_n=3)  # L02 costs 59
    assert talk.calls[0][1]["filters"] == {"category": ["lamps"], "price": {"max": 58.99}}
    assert talk.state.last_list == ("#9", "#11", "#12")


def test_two_wishes_are_two_calls_and_one_answer() -> None:
    talk = Talk()
    answer = talk.say("a lamp under 50 and a blue mug")
    assert [arguments["filters"]["category"] for _, arguments in talk.calls] == [["lamps"], ["mugs"]]
    assert "#9" in answer and "#25" in answer


def test_what_no_record_says_is_not_made_up() -> None:
    talk = Talk(rank_items=lambda a: message("L01", "L02", "L03"), compare_items=lambda a: message("L01", "L02", "L03"))
    talk.say("lamps", top_n=3)
    assert talk.say("which is the longest?", top_n=3) == "The shop does not say which is the longest."
    assert talk.say("which of these is the newest?", top_n=3) == "The shop does not say how new things are."


def test_what_an_item_is_about_is_its_description() -> None:
    talk = Talk(item_details=lambda a: message("L02"))
    talk.say("lamps", top_n=3)
    answer = talk.say("what's the second about?", top_n=3)
    assert answer.rstrip(".") == f"#8: {(TOY['L02'].description or '').split('. ')[0]}".rstrip(".")


def test_others_go_on_at_the_cursor() -> None:
    talk = Talk(search_items=lambda a: message("M01" if a.get("cursor") else "M02", cursor="5-abc", total=9))
    talk.say("mugs", top_n=1)
    answer = talk.say("show me others", top_n=1)
    assert talk.calls[0][1]["cursor"] == "5-abc"
    assert "#25" in answer and "#26" not in answer


def test_others_without_a_cursor_leave_out_what_was_shown() -> None:
    talk = Talk()
    talk.say("lamps", top_n=2)
    talk.say("show me others", top_n=2)
    assert talk.mind is not None and talk.mind.listed == ("#9", "#10")


def test_what_was_turned_down_stays_away() -> None:
    talk = Talk(record_feedback=lambda a: message(text="Shall I?", needs_confirmation={"tool": "record_feedback"}))
    talk.say("lamps", top_n=3)
    answer = talk.say("I don't like the first one", top_n=3)
    assert talk.calls[0] == ("record_feedback", {"item_id": "#7", "kind": "dismiss"})
    assert talk.mind is not None
    assert talk.mind.listed == ("#8", "#9", "#10") and answer.startswith("Shall I?")
    assert talk.mind.outcome == "recommended"
    talk.say("yes please")
    assert talk.calls == [("record_feedback", {"item_id": "#7", "kind": "dismiss"})]


def test_the_blocking_constraint_is_named_and_the_nearest_offered() -> None:
    blocking = {"field": "price", "value": {"max": 3.0}, "relaxed": 6}
    talk = Talk(search_items=lambda a: message("M02", "M01", blocking=blocking, nearest=True))
    answer = talk.say("mugs up to 3")
    assert "the price limit is what stands in the way" in answer
    assert "nearest are #26 and #25" in answer
    assert talk.mind is not None and talk.mind.outcome == "nearest"


def test_a_colour_nothing_has_is_owned_up_to() -> None:
    talk = Talk()
    assert talk.say("a purple mug").startswith("I find nothing here for “purple”. The nearest are #25")
    assert talk.mind is not None and talk.mind.outcome == "nearest"


def test_nothing_at_all_says_so() -> None:
    talk = Talk(search_items=lambda a: message(total=0))
    assert "nothing" in talk.say("mugs").casefold()
    assert talk.mind is not None and talk.mind.outcome == "nothing"


def test_a_refused_call_is_mended_once_with_the_values_as_words() -> None:
    def picky(arguments: dict[str, Any]) -> str:
        if "attributes" in (arguments.get("filters") or {}):
            return message(error={"retry": True, "text": "'filters.attributes' is unknown"})
        return message("M01")

    talk = Talk(search_items=picky)
    answer = talk.say("a blue mug under 20")
    assert talk.calls[1] == (
        "search_items",
        {"query": "blue mug mugs", "top_n": 5, "filters": {"price": {"max": 19.99}}},
    )
    assert "#25" in answer


@pytest.mark.parametrize("retry", [True, False])
def test_a_tool_that_keeps_failing_ends_in_a_plain_answer(retry: bool) -> None:
    talk = Talk(search_items=lambda a: message(error={"retry": retry, "text": "no"}))
    assert talk.say("a blue mug under 20") == "I could not look that up just now."
    assert len(talk.calls) == 1 + retry


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"items": 3}', "null"])
def test_a_broken_tool_message_is_a_failed_call(content: str) -> None:
    assert Talk(search_items=lambda a: content).say("mugs") == "I could not look that up just now."


def test_like_a_title_looks_the_title_up_first() -> None:
    talk = Talk(search_items=lambda a: message("L04", "L02"), similar_items=lambda a: message("L01", "L06"))
    answer = talk.say("something like the Blue mushroom lamp")
    assert talk.calls[0] == ("search_items", {"query": "Blue mushroom lamp", "top_n": 3})
    kinds = {"filters": {"category": ["home", "lamps"]}}  # what is like a lamp is of one of its kinds
    assert talk.calls[1] == ("similar_items", {"item_id": "#8", "top_n": 5, **kinds})
    assert answer.startswith("2 items in the same spirit. #7 comes first") and talk.mind is not None
    assert talk.mind.listed == ("#7", "#12")


def test_like_two_titles_looks_both_up_and_then_for_what_resembles_them() -> None:
    found = {"Blue mushroom lamp": "L02", "Saddle leather bag": "B01"}

    def search(arguments: dict[str, Any]) -> str:
        return message(found[arguments["query"]]) if "query" in arguments else message("L01", "L02", "L06")

    talk = Talk(search_items=search)
    answer = talk.say("I loved the Blue mushroom lamp and the Saddle leather bag")
    assert [arguments for _, arguments in talk.calls] == [
        {"query": "Blue mushroom lamp", "top_n": 3}, {"query": "Saddle leather bag", "top_n": 3},
        {"like": ["#8", f"#{TOY.ids.row('B01') + 1}"], "top_n": 5,
         "filters": {"category": ["home", "lamps", "accessories", "bags"]}},
    ]  # fmt: skip
    # No number: the tool gave three, one of them named by the shopper, and the gate knows no count but the tool's.
    assert answer.startswith("Some items in the same spirit.") and talk.mind is not None
    assert talk.mind.listed == ("#7", "#12")


def test_a_word_nothing_carries_is_mentioned_once() -> None:
    talk = Talk()
    assert "no mention of “flurble”" in talk.say("a flurble mug")
    assert "flurble" not in talk.say("in blue")


def test_a_maker_nobody_carries_leaves_only_what_is_near() -> None:
    talk = Talk()
    assert talk.say("a mug by Quux").startswith("I find nothing here for “quux”. The nearest are")
    assert talk.mind is not None and talk.mind.outcome == "nearest"


def test_a_swap_says_what_it_gave_up() -> None:
    talk = Talk()
    talk.say("a leather bag")
    assert "“leather”" in talk.say("actually a mug instead")


def test_a_shop_that_has_learned_nothing_still_has_what_fits() -> None:
    talk = Talk(recommend_items=lambda a: message())
    talk.say("a present for my mum's birthday")
    assert [name for name, _ in talk.calls] == ["recommend_items", "search_items"]
    assert talk.mind is not None and talk.mind.outcome == "recommended"


def test_comparisons_put_the_answer_first() -> None:
    talk = Talk(compare_items=lambda a: message("L01", "L02", "L03", differ={"price": {}}))
    talk.say("lamps", top_n=3)
    answer = talk.say("which of these is cheaper?")
    assert talk.calls == [("compare_items", {"item_ids": ["#7", "#8", "#9"]})]
    assert answer.startswith("#9 is the cheapest, at €19.00.")
    assert talk.mind is not None and talk.mind.listed[0] == "#9"


def test_facts_are_answered_with_the_tools_numbers() -> None:
    facts = {
        "count": 30, "in_stock": 24, "dearest": entry("#10", TOY["L04"]), "groups": [{"value": "blue", "count": 8}],
        "distinct": 1,
    }  # fmt: skip
    talk = Talk(catalogue_facts=lambda a: message("M02", "L04", **facts))
    assert talk.say("how many items do you have?") == "There are 30 items, 24 of them in stock."
    assert talk.say("what is the most expensive thing you have?") == "The most expensive is #10, at €249.00."
    assert talk.say("what colours do you have?") == "There is blue (8)."
    assert talk.calls == [("catalogue_facts", {"group_by": "colour"})]


def test_a_brand_nobody_carries_is_denied_and_one_carried_is_not() -> None:
    talk = Talk()
    assert talk.say("do you carry Nike?").startswith("No, I find nothing here for nike.")
    answer = talk.say("do you carry Lumen?")
    assert answer.startswith("Yes:") and "#7" in answer


def test_the_past_is_told_and_only_what_was_bought_when_asked_so() -> None:
    past = (("#1", "view"), ("#13", "purchase"), ("#14", "purchase"))
    events = [{"handle": handle, "kind": kind} for handle, kind in past]
    talk = Talk(shopper_history=lambda a: message("V01", "S01", "S02", events=events))
    assert talk.say("what did I buy last time?") == "You bought #13."
    assert talk.say("what have I bought?") == "You bought #13 and #14."


def test_talk_needs_no_tool() -> None:
    talk = Talk()
    for said in ("hello", "thanks", "what's the weather like?", "I need a gift"):
        talk.say(said)
        assert talk.calls == [], said
    assert talk.mind is not None and talk.mind.outcome == "question"


def test_a_list_another_mind_showed_can_be_referred_to() -> None:
    state = UNDERSTANDER.understand("lamps", IntentState()).state
    talk = Talk()
    talk.say("lamps", top_n=2)
    known = talk.state
    assert known is not None
    mind = PlannerLLM(understander=UNDERSTANDER, state=state, shown=known.listed())
    assert mind.state.last_list == ("#7", "#8")


def test_a_search_that_was_never_answered_is_no_proof_that_nothing_fits() -> None:
    mind = PlannerLLM(understander=UNDERSTANDER)
    mind.chat([ChatMessage(role=MessageRole.USER, content="a lamp")])
    assert mind.outcome == "question"


def test_outside_an_agent_it_only_talks() -> None:
    mind = PlannerLLM(understander=UNDERSTANDER)
    assert mind.metadata.is_function_calling_model
    assert mind.complete("hello").text == "Hello! Tell me what you are looking for."
    response = mind.chat([ChatMessage(role=MessageRole.USER, content="a lamp")])
    (call,) = mind.get_tool_calls_from_response(response)
    assert call.tool_name == "search_items"
    with pytest.raises(ValueError, match="no tool call"):
        mind.get_tool_calls_from_response(mind.chat([ChatMessage(role=MessageRole.USER, content="hello")]))


@pytest.mark.parametrize(
    ("said", "title"), [("a magenta kettle", "Magenta kettle"), ("a star is born", "A Star Is Born")]
)
def test_an_article_before_a_title_may_be_said_or_not(said: str, title: str) -> None:
    shown = ShownItem("#1", "k", title, 30.0, "EUR", None, (), {})
    assert fits(Wish(titled=(said,)), shown, {})
    assert not fits(Wish(titled=("a magenta lamp",)), shown, {})
