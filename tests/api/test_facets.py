from __future__ import annotations

import pytest


def facets(client, **body):
    answer = client.post("/v1/facets", json=body)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body, {facet["name"]: {v["value"]: v["count"] for v in facet["values"]} for facet in body["facets"]}


def test_values_are_counted_as_the_catalogue_has_them(client, shop):
    body, found = facets(client)
    assert body["total"] == len(shop.catalog) == 30
    for category, count in found["category"].items():
        assert count == sum(category in item.categories for item in shop.catalog)
    for brand, count in found["brand"].items():
        assert count == sum(item.brand == brand for item in shop.catalog)
    prices = [item.price for item in shop.catalog if item.price is not None]
    assert body["price"] == {"min": min(prices), "max": max(prices)}


def test_a_chosen_facet_offers_its_other_values_and_narrows_the_rest(client, shop):
    vases = [item for item in shop.catalog if "vases" in item.categories]
    body, found = facets(client, filters={"category": ["vases"]})
    assert body["total"] == len(vases)
    assert found["category"]["mugs"] == sum("mugs" in item.categories for item in shop.catalog)
    assert sum(found["brand"].values()) == len(vases)


def test_a_chosen_facet_stays_where_it_stood(client):
    def names(filters):
        return [each["name"] for each in client.post("/v1/facets", json={"filters": filters}).json()["facets"]]

    before = names({})
    assert len(before) > 3
    chosen = names({"attributes": {before[-1]: [first_value(client, before[-1])]}})
    assert chosen == [name for name in before if name in chosen] and before[-1] in chosen


def first_value(client, name):
    facets = client.post("/v1/facets", json={}).json()["facets"]
    return next(each["values"][0]["value"] for each in facets if each["name"] == name)


def test_only_the_named_items_count(client, shop):
    body, found = facets(client, item_ids=["V01", "M01"])
    assert body["total"] == 2 and found["category"] == {"home": 2, "mugs": 1, "vases": 1}


@pytest.mark.parametrize(
    ("body", "status"), [({"item_ids": ["nobody"]}, 404), ({"filters": {"colour": ["red"]}}, 422), ({"top_n": 3}, 422)]
)
def test_what_cannot_be_counted_is_named(client, body, status):
    answer = client.post("/v1/facets", json=body)
    assert answer.status_code == status and answer.json()["field"]


def test_an_event_taken_back_is_as_if_it_had_not_been(client, shop):
    told = {"event_id": "page-1", "user_id": "facets-shopper", "item_id": "V01", "kind": "dismiss"}
    assert client.put("/v1/events", json={"events": [told]}).json()["accepted"] == 1
    ask = {"user_id": "facets-shopper", "top_n": 30}
    without = {each["item_id"] for each in client.post("/v1/recommendations", json=ask).json()["recommendations"]}
    assert client.delete("/v1/events/page-1").json() == {"event_id": "page-1", "forgotten": True}
    back = {each["item_id"] for each in client.post("/v1/recommendations", json=ask).json()["recommendations"]}
    assert "V01" not in without and "V01" in back
    assert client.delete("/v1/events/page-1").json() == {"event_id": "page-1", "forgotten": False}
