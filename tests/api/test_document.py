"""The OpenAPI document: valid examples for every operation and kind of answer, refusals as they really are."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.document import DESCRIBED, operations
from api.keys import load_keys

PROBLEM = "application/problem+json"


@pytest.fixture
def document(client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def fits(document: dict[str, Any], schema: dict[str, Any], example: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(example)]


def test_it_is_one_versioned_document(document):
    assert document["openapi"].startswith("3.1.") and document["info"]["version"] == "1.0.0"
    assert "ValidationError" not in document["components"]["schemas"]


def test_every_body_and_answer_has_an_example_that_fits_its_schema(document):
    for path, method, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (content for body in bodies for content in body.get("content", {}).items()):
            kind, told = content
            if kind.startswith(("image/", "multipart/")):
                continue
            assert "example" in told, (method, path, kind)
            assert fits(document, told.get("schema", {}), told["example"]) == [], (method, path, kind)
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                assert "example" in parameter, (method, path)


def test_every_refusal_has_an_example(document):
    for status in DESCRIBED:
        told = document["components"]["responses"][f"Problem{status}"]["content"][PROBLEM]
        assert fits(document, told["schema"], told["example"]) == []
        assert told["example"]["status"] == status


def test_the_example_requests_are_answered(client, document):
    for path in ("/v1/chat", "/v1/chat/completions", "/v1/search", "/v1/recommendations", "/v1/facets", "/v1/events"):
        for method, operation in document["paths"][path].items():
            request = operation["requestBody"]["content"]["application/json"]["example"]
            assert client.request(method, path, json=request).status_code == 200, path


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "body"),
    [
        ("POST", "/v1/search", 400, {}, b"{"),
        ("GET", "/v1/items/nothing", 404, {}, b""),
        ("PUT", "/v1/items/V01/similar", 405, {"Content-Type": "text/plain"}, b"x"),
        ("PATCH", "/v1/items/V01", 405, {}, b""),
        ("POST", "/v1/search", 413, {"Content-Length": "99999999"}, b"{}"),
        ("POST", "/v1/search", 415, {"Content-Type": "text/plain"}, b"x"),
        ("POST", "/v1/search", 422, {}, b'{"query": "a\\u0000\\ud800"}'),
        ("POST", "/v1/recommendations", 422, {}, b'{"top_n": 1e400}'),
        ("POST", "/v1/tools/undo_feedback", 409, {}, b'{"session_id": "nobody-did-anything"}'),
    ],
)
def test_refusals_are_problems_under_the_callers_id(client, method, path, status, headers, body):
    asked = {"Content-Type": "application/json", "X-Request-Id": "mine-1", **headers}
    answer = client.request(method, path, content=body, headers=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM and answer.headers["X-Request-Id"] == "mine-1"
    assert answer.json()["status"] == status and answer.json()["request_id"] == "mine-1"


def test_405_names_every_method_of_the_address(client):
    assert client.patch("/v1/items/V01").headers["Allow"] == "DELETE, GET, PUT"
    assert client.put("/v1/items/V01/similar").headers["Allow"] == "GET"


def test_a_whole_number_may_be_written_with_a_point(client):
    answer = client.post("/v1/recommendations", content='{"top_n": 2.0}', headers={"Content-Type": "application/json"})
    assert len(answer.json()["recommendations"]) == 2


def test_keys_stand_in_the_document_where_they_are_needed(make, service):
    keys = load_keys({"VITRINE_API_KEYS": "acme:a-key-of-sixteen-characters"})
    document = make.client(service, keys).get("/openapi.json").json()
    assert document["paths"]["/v1/search"]["post"]["security"]
