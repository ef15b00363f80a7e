"""A shop without keys, opened by two workers: what one asked the shopper, the other takes the answer to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from vitrine.living import open_service
from vitrine.settings import load_settings


def test_any_worker_takes_any_workers_token(store: Path) -> None:
    workers = [open_service(load_settings({"store": str(store)})) for _ in range(2)]
    first, second = (TestClient(create_app(service), base_url="http://localhost") for service in workers)
    item_id = workers[0].shop.catalog.ids.ids[0]
    call: dict[str, Any] = {"user_id": "ana", "arguments": {"item_id": item_id, "kind": "dismiss"}}
    asked = first.post("/v1/tools/record_feedback", json=call).json()["facts"]["needs_confirmation"]
    done = second.post("/v1/tools/record_feedback", json={**call, "confirmation": asked["confirmation"]})
    assert done.status_code == 200 and done.json()["facts"]["recorded"]["new"], done.text
    for service in workers:
        assert service.live is not None
        service.live.close()
        service.shop.events.close()
