from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

PROBLEM = "application/problem+json"
TEXT = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_route_is_in_the_documentation_and_nothing_else_is(client):
    documented = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?]*)`", TEXT))
    served = {
        (method, route.path_format)
        for route in client.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert documented == served


def test_the_openapi_document_is_served_with_our_errors(client):
    spec = client.get("/openapi.json").json()
    assert "/v1/items/{item_id}/similar" in spec["paths"]
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary"), (method, path)
            refusals = {status: told for status, told in operation["responses"].items() if status >= "400"}
            assert {"403", "500", "503"} <= set(refusals), (method, path)
            for status, told in refusals.items():
                assert told == {"$ref": f"#/components/responses/Problem{status}"}, (method, path)
                assert list(spec["components"]["responses"][f"Problem{status}"]["content"]) == [PROBLEM]
    ids = [operation["operationId"] for item in spec["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", ["/v1/recommendations", "/v1/search", "/v1/tools/search_items"])
def test_the_examples_of_the_documentation_work(client, path):
    name = path.replace("search_items", "{name}")
    section = TEXT.split(f"`POST {name}`")[1]
    body = json.loads(re.search(r"```json\n(.*?)```", section, re.S)[1])
    assert client.post(path, json=body).status_code == 200


def test_the_example_events_work(client):
    section = TEXT.split("`PUT /v1/events`")[1]
    body = json.loads(re.search(r"```json\n(.*?)```", section, re.S)[1])
    answer = client.put("/v1/events", json=body).json()
    assert answer["rejected"] == [] and answer["accepted"] + answer["duplicates"] == 2
