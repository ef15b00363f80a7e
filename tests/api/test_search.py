from __future__ import annotations

import base64

import pytest


def search(client, **body):
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_words_find_items_with_a_score_for_every_channel(client, shop):
    found = search(client, query="blue vase", top_n=5)
    assert found["ground"] == "query" and found["request_id"]
    first = found["items"][0]
    assert first["item_id"] in {"V01", "V06"}
    assert set(first["channels"]) <= set(shop.indexes) and "keyword" in first["channels"]
    assert [item["rank"] for item in found["items"]] == [1, 2, 3, 4, 5]
    scores = [item["score"] for item in found["items"]]
    assert scores == sorted(scores, reverse=True)
    assert first["title"] == shop.catalog[first["item_id"]].title
    assert all(item["reason"] and item["evidence"] for item in found["items"])


def test_filters_hold_for_every_result(client, shop):
    filters = {"price": {"max": 50}, "category": ["vases"], "not": {"attributes": {"colour": ["orange"]}}}
    items = search(client, query="vase", filters=filters, top_n=20)["items"]
    # V01 24.00, V03 29.50, V05 45.00; V02 is orange, V04 out of stock, V06 costs 89.00.
    assert {item["item_id"] for item in items} == {"V01", "V03", "V05"}


def test_examples_and_counter_examples(client):
    items = search(client, like=["M01"], unlike=["M02"], top_n=5)["items"]
    assert items and "M01" not in {item["item_id"] for item in items[:1]}


def test_sorting_by_price(client):
    body = {"filters": {"category": ["mugs"]}, "sort": "price_asc", "top_n": 10}
    prices = [item["price"] for item in search(client, **body)["items"]]
    # In stock and priced: 6.50, 9.50, 12.00, 14.00; the bowl without a price comes last.
    assert prices == [6.5, 9.5, 12.0, 14.0, None]


def test_pages_do_not_overlap_and_end(client):
    body = {"query": "a lamp or a vase", "top_n": 4}
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        page = search(client, **body, **({"cursor": cursor} if cursor else {}))
        seen += [item["item_id"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert cursor is None and len(seen) == len(set(seen)) == page["total"] > 4


def test_nothing_fits_names_what_blocks(client):
    found = search(client, query="vase", filters={"category": ["vases"], "price": {"max": 5}})
    assert found["nearest"] is True and found["blocking"]["field"] == "price"
    assert found["blocking"]["relaxed"] == 5  # vases in stock at any price


def test_a_picture_needs_a_picture_model(client, shop):
    picture = base64.b64encode((shop.root / "media/V01.png").read_bytes()).decode()
    answer = client.post("/v1/search", json={"image": f"data:image/png;base64,{picture}"})
    assert answer.status_code == 501
    assert answer.json()["field"] == "image" and "vitrine train clip" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 1001}, "query"),
        ({"query": "a", "top_n": 0}, "top_n"),
        ({"query": "a", "top_n": 101}, "top_n"),
        ({"query": "a", "sort": "cheapest"}, "sort"),
        ({"query": "a", "cursor": "rubbish"}, "cursor"),
        ({"query": "a", "cursor": "999999999-aaaa"}, "cursor"),
        ({"query": "a", "filters": {"price": {"min": -1}}}, "filters.price.min"),
        ({"query": "a", "filters": {"price": {"min": 9, "max": 1}}}, "filters.price"),
        ({"query": "a", "filters": {"colour": ["red"]}}, "filters.colour"),
        ({"query": "a", "filters": {"available": 0}}, "filters.available"),
        ({"query": "a", "filters": {"not": {"price": {"max": "9"}}}}, "filters.not.price.max"),
        ({"query": 5}, "query"),
        ({"query": "a", "qurey": "b"}, "qurey"),
    ],
)
def test_bad_searches_name_the_field(client, body, field):
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [({"like": ["nothing-like-it"]}, "like.0"), ({"query": "a", "unlike": ["V01", "<script>"]}, "unlike.1")],
)
def test_examples_that_are_not_in_the_shop_are_404(client, body, field):
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 404 and answer.json()["field"] == field


def test_a_price_that_is_no_number(client):
    content = '{"query": "a", "filters": {"price": {"max": NaN}}}'
    answer = client.post("/v1/search", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json()["field"] == "filters.price.max"


def recommend(client, **body):
    answer = client.post("/v1/recommendations", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_known_shopper_and_a_stranger(client, shop):
    known, stranger = recommend(client, user_id="ana", top_n=5), recommend(client, user_id="nobody", top_n=5)
    assert known["ground"] == "history" and stranger["ground"] == "popularity"
    assert len(known["recommendations"]) == 5
    assert "S01" not in {item["item_id"] for item in known["recommendations"]}  # she owns it
    # M02 has the most ratings of all.
    assert stranger["recommendations"][0]["item_id"] == "M02"


def test_what_was_shown_is_kept_as_a_slate(client, shop):
    answer = recommend(client, user_id="ana", session_id="s-1", top_n=3)
    slate = shop.events.slate(answer["request_id"])
    assert slate.item_ids == tuple(item["item_id"] for item in answer["recommendations"])
    assert (slate.user_id, slate.session_id) == ("ana", "s-1")


def test_exclude_and_filters(client):
    first = recommend(client, top_n=3)["recommendations"]
    ids = [item["item_id"] for item in first]
    again = recommend(client, top_n=30, exclude=ids, filters={"price": {"max": 30}})["recommendations"]
    assert again and not set(ids) & {item["item_id"] for item in again}
    assert all(item["price"] <= 30 for item in again)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"top_n": 0}, "top_n"),
        ({"top_n": 1_000_000}, "top_n"),
        ({"top_n": 1.5}, "top_n"),
        ({"user": "ana"}, "user"),
        ({"exclude": "V01"}, "exclude"),
        ({"filters": []}, "filters"),
    ],
)
def test_bad_recommendation_requests_name_the_field(client, body, field):
    answer = client.post("/v1/recommendations", json=body)
    assert answer.status_code == 422 and answer.json()["field"] == field


def test_an_empty_page_is_no_error(client):
    found = recommend(client, filters={"brand": ["Nobody"]})
    assert found["recommendations"] == [] or found["nearest"]


@pytest.mark.parametrize(
    ("filters", "field", "value", "closest", "said"),
    [
        (
            {"brand": ["Terano"]},
            "brand",
            "Terano",
            ["Terrano"],
            "No item has the brand “Terano”; did you mean “Terrano”?",
        ),
        (
            {"category": ["mugs", "vasez"]},
            "category",
            "vasez",
            ["vases"],
            "the category “vasez”; did you mean “vases”?",
        ),
        (
            {"attributes": {"color": ["bleu"]}},
            "attributes.colour",
            "bleu",
            ["blue"],
            "No item has the colour “bleu”; did",
        ),
        ({"brand": ["Qqqq"], "not": {"brand": ["Nobody"]}}, "brand", "Qqqq", [], "No item has the brand “Qqqq”."),
    ],
)
@pytest.mark.parametrize("path", ["/v1/search", "/v1/recommendations"])
def test_a_value_that_no_item_has_is_named_with_the_nearest(client, path, filters, field, value, closest, said):
    found = client.post(path, json={"filters": filters}).json()
    (unknown,) = found["unknown"]
    assert (unknown["field"], unknown["value"]) == (field, value) and unknown["closest"][:1] == closest
    assert said in found["text"] and found["text"].startswith(("What others like", "Nothing fits in every way"))


def test_what_every_item_may_have_is_not_called_unknown(client):
    found = client.post("/v1/search", json={"filters": {"category": ["Vase"], "brand": ["terrano"]}}).json()
    assert found["unknown"] == [] and "No item has" not in found["text"] and found["items"]
    many = {"filters": {"brand": ["a" * 5000, "\u202eb", "c", "d"]}}
    found = client.post("/v1/search", json=many).json()
    assert len(found["unknown"]) == 4 and len(found["text"]) < 300 and "\u202e" not in found["text"]
