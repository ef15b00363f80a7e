"""The order of what fits, where things are of several kinds each."""

from __future__ import annotations

from agent.base import ShownItem
from agent.planner_calls import Call
from agent.planner_order import about, among_kinds, by_kind, by_topic, roomy
from agent.understanding.wish import Facets, Wish


def item(handle: str, *kinds: str) -> ShownItem:
    return ShownItem(handle, handle, handle, None, None, None, kinds, {})


def handles(items: list[ShownItem]) -> str:
    return " ".join(each.handle for each in items)


COMEDIES = Wish(wanted=Facets(categories=("Comedy",)))


def test_what_is_most_of_all_of_the_kind_comes_first_for_somebody_unknown() -> None:
    mixed, plain = item("mixed", "Action", "Comedy", "Sci-Fi"), item("plain", "Comedy")
    assert handles(among_kinds([mixed, plain], COMEDIES, unknown=True)) == "plain mixed"
    assert handles(among_kinds([mixed, plain], COMEDIES, unknown=False)) == "mixed plain"
    # Four places for two kinds more: whoever is chosen far more often stays ahead.
    others = [item(f"o{n}", "Action", "Comedy", "Sci-Fi") for n in range(4)]
    assert handles(among_kinds([mixed, *others, plain], COMEDIES, unknown=True)).startswith("mixed")


def test_kinds_side_by_side_take_turns() -> None:
    wish = Wish(wanted=Facets(categories=("Western", "War")))
    found = [item("w1", "War"), item("w2", "War"), item("both", "War", "Western"), item("x1", "Western")]
    assert handles(among_kinds(found, wish, unknown=True)) == "both w1 x1 w2"


def test_a_wish_that_says_more_than_kinds_keeps_the_order_of_the_search() -> None:
    said = COMEDIES.model_copy(update={"said": ("heist",)})
    assert not by_kind(said) and by_kind(COMEDIES) and not by_kind(Wish())
    found = [item("a", "Action", "Comedy"), item("b", "Comedy")]
    assert handles(among_kinds(found, said, unknown=True)) == "a b"


def test_room_is_asked_for_within_the_limit() -> None:
    assert roomy(Call("search_items", {"top_n": 5})).arguments["top_n"] == 20
    assert roomy(Call("search_items", {"top_n": 50})).arguments["top_n"] == 60


def test_what_a_record_is_about_comes_before_what_its_title_says() -> None:
    wish = Wish(wanted=Facets(words=("boxing",)))
    title = item("Boxing Helena", "Drama")
    topic = ShownItem("Rocky", "Rocky", "Rocky", None, None, None, ("Drama",), {"keywords": ("Boxing", "boxing ring")})
    assert handles(about([title, topic], wish)) == "Rocky Boxing Helena"
    assert by_topic(wish) and not by_topic(Wish(wanted=Facets(words=("a man lives one day again",))))
    assert handles(about([title, topic], Wish())) == "Boxing Helena Rocky"
