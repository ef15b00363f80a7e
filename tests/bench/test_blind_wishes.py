from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.blind_wishes import WISHES, read, row_ids
from bench.wish_scores import Wish, load_wishes, score, share, table
from catalog.errors import DataError


def wish(kind: str, satisfied: tuple[str, ...] = (), answer: Any = None, must_not: tuple[str, ...] = ("z",)) -> Wish:
    return Wish.model_validate({"id": "w", "turns": ("say",), "kind": kind, "satisfied_by": satisfied,
                                "answer": answer, "must_not": must_not, "note": ""})  # fmt: skip


def turn(*ids: str, outcome: str = "recommended", text: str = "", **titles: str) -> dict[str, Any]:
    cards = [{"item_id": each, "title": titles.get(each, each), "price": None, "reason": "r"} for each in ids]
    return {"said": "say", "outcome": outcome, "text": text, "recommendations": cards}


def judged(asked: Wish, last: dict[str, Any]) -> Any:
    return score("shop", asked, [turn("a", "b"), last], [])


def test_only_the_last_answer_counts_and_the_first_five_find() -> None:
    asked = wish("find", ("a", "b"))
    assert not judged(asked, turn("c", "d")).right  # the turn before it showed both
    assert judged(asked, turn("c", "d", "e", "f", "a")).right
    assert not judged(asked, turn("c", "d", "e", "f", "g", "a")).right
    found = judged(asked, turn("a", "c", "b", "z"))
    assert (found.first, found.precision, found.all_satisfy, found.near_miss) == (True, 2 / 4, False, True)
    assert judged(asked, turn("b", "a")).all_satisfy
    nothing = judged(asked, turn(outcome="nothing"))
    assert (nothing.right, nothing.precision, nothing.all_satisfy) == (False, 0.0, False)


def test_of_two_compared_the_one_that_satisfies_stands_first() -> None:
    asked = wish("compare", ("a",))
    assert judged(asked, turn("a", "z")).right and not judged(asked, turn("z", "a")).right
    assert judged(asked, turn("a", "z")).near_miss is None  # side by side is how one compares


@pytest.mark.parametrize(
    ("last", "right"),
    [
        (turn(outcome="nothing"), True),
        (turn("z", outcome="nearest"), True),
        (turn(outcome="answered", text="We have none."), True),
        (turn("z"), False),
        (turn(outcome="question"), False),
        (turn("z", outcome="answered"), False),
        (turn(outcome="error"), False),
    ],
)
def test_what_is_not_carried_is_not_recommended_and_the_shopper_is_told(last: dict[str, Any], right: bool) -> None:
    found = judged(wish("abstain"), last)
    assert found.right is right
    assert found.precision is found.first is found.all_satisfy is None


@pytest.mark.parametrize(
    ("answer", "last", "right"),
    [
        (13, turn(outcome="answered", text="There are 13 of them."), True),
        (2, turn(outcome="answered", text="We carry two."), True),
        (13, turn(outcome="answered", text="There are 130."), False),
        (1234, turn(outcome="answered", text="There are 1,234."), True),
        (5, turn("a", text="Here are 5 items."), False),  # a list is no count
        (13, turn("a", outcome="answered", text="Apollo 13 suits.", a="Apollo 13"), False),  # nor is a title
        (16.0, turn(outcome="answered", text="It costs 16.00."), True),
        (16.0, turn("a", "b"), True),  # the card states it
        (16.0, turn("b", "a"), False),
        ("Forrest Gump", turn(outcome="answered", text="That is Forrest Gump (1994)."), True),
        ("The Cabinet of Dr. Caligari (1920)", turn(outcome="answered", text="the cabinet of dr caligari"), True),
        ("German", turn(outcome="answered", text="English (14)"), False),
    ],
)
def test_a_question_is_answered_when_the_answer_is_said(answer: Any, last: dict[str, Any], right: bool) -> None:
    assert judged(wish("question", ("a",), answer), last).right is right


def test_shares_have_wilsons_interval() -> None:
    # p = .8, n = 10, z = 1.96: centre (p + z2/2n) / (1 + z2/n) = .7167, half z/(1 + z2/n) sqrt(p q/n + z2/4n2) = .2266
    assert share([True] * 8 + [False] * 2) == "0.800 [0.490, 0.943]"
    assert share([]) == ""


def test_the_table_has_a_row_for_each_catalogue_kind_and_all() -> None:
    scored = [score(name, wish("find", ("a",)), [turn("a")], []) for name in ("x", "y")]
    scored.append(score("x", wish("abstain"), [turn("a")], ["turn 1: invented name"]))
    rows = [line.split(" | ")[:3] for line in table(scored, 5).splitlines()[2:]]
    assert [row[0].strip("| *") for row in rows] == ["x, find", "x, abstain", "y, find", "x", "y",
                                                     "all, find", "all, abstain", "all"]  # fmt: skip
    assert [row[1] for row in rows] == ["1", "1", "1", "2", "1", "2", "1", "3"]
    assert rows[-1][2].startswith("0.667") and table(scored, 5).splitlines()[-1].count("0.667") == 2  # right, grounded


def test_the_frozen_wishes_are_read_and_a_broken_line_is_named(tmp_path: Path) -> None:
    assert [len(load_wishes(WISHES / f"{name}.jsonl", {})) for name in ("movies", "fashion", "beauty")] == [70, 65, 65]
    path = tmp_path / "w.jsonl"
    line = json.loads(wish("find", ("7",)).model_dump_json())
    path.write_text(f"{json.dumps(line)}\n{json.dumps({**line, 'kind': 'guess'})}\n")
    with pytest.raises(DataError, match="line 2"):
        load_wishes(path, {})
    path.write_text(json.dumps(line))
    assert load_wishes(path, {"7": "B00"})[0].satisfied_by == ("B00",)


def test_a_shop_is_read_and_its_rows_named(tmp_path: Path) -> None:
    (tmp_path / "beauty").mkdir()
    (tmp_path / "beauty" / "items.jsonl").write_text('{"itemID": 3, "asin": "B003"}\n')
    assert row_ids("beauty", tmp_path) == {"3": "B003"} and row_ids("movies", tmp_path) == {}
    (tmp_path / "fashion").mkdir()
    row = {"article_id": "01", "product_code": "1", "prod_name": "Strap top", "product_type_no": "253",
           "product_type_name": "Vest top", "product_group_name": "Upper", "index_group_name": "Ladieswear",
           "graphical_appearance_name": "Solid", "colour_group_name": "Dark Blue", "section_name": "Basics",
           "perceived_colour_master_name": "Blue", "department_name": "Jersey", "garment_group_name": "Jersey",
           "detail_desc": "A top."}  # fmt: skip
    (tmp_path / "fashion" / "articles.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    (item,) = read("fashion", tmp_path).shop.items.iter_rows(named=True)
    assert (item["item_id"], item["title"], item["categories"]) == (
        "01",
        "Strap top",
        ["Ladieswear", "Upper", "Vest top"],
    )
    held = {each["name"]: each["values"] for each in item["attributes"]}
    assert held["colour"] == ["Dark Blue"] and held["colour_family"] == ["Blue"] and "product_type_no" not in held
