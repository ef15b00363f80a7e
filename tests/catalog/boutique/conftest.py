from __future__ import annotations

import pytest

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.plan import Plan, plan

SMALL = BoutiqueConfig(
    seed=3, n_items=48, n_users=40, n_events=900, image_size=64, video_size=64, video_frames=4, video_share=0.2
)


@pytest.fixture(scope="session")
def small() -> BoutiqueConfig:
    """Enough for every code path, drawn in a few seconds."""
    return SMALL


@pytest.fixture(scope="session")
def full() -> Plan:
    """The shop of the default size, on paper only."""
    return plan(BoutiqueConfig(seed=11))
