from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.doubles import toy_shop
from tools.shop import Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened = toy_shop(tmp_path_factory.mktemp("shop"))
    yield opened
    opened.events.close()
