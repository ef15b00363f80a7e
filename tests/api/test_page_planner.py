"""The page with the shop's own mind behind it: a wish, cards with pictures, and "cheaper ones" that are cheaper."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from tools.doubles import TOY_NOW

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


@pytest.mark.parametrize("size", [(1280, 860), (390, 844)], ids=["desktop", "phone"])
def test_a_wish_and_then_cheaper_ones(make, shop, registry, size):
    from playwright.sync_api import sync_playwright

    agent = Agent(shop, registry, Minds(ShopPlanner(shop.catalog)), now=lambda: TOY_NOW)
    with make.running(make.service(shop, registry, agent)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
        page.set_default_timeout(30_000)
        page.goto(address)
        page.locator(".card:not(.waiting)").first.wait_for()

        first = ask(page, "a vase")
        assert len(first) >= 2
        for picture in page.locator(".card img").all():
            picture.scroll_into_view_if_needed()
            picture.evaluate("img => img.decode()")  # fails where there is no picture

        cheaper = ask(page, "cheaper ones")
        assert cheaper and min(cheaper) <= min(first) and max(cheaper) < max(first)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        browser.close()


def ask(page, wish: str) -> list[float]:
    """Say `wish` and return the prices of the cards."""
    page.get_by_label("Your wish").fill(wish)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"“{wish}”").wait_for()
    page.locator("#log[aria-busy=false]").wait_for()
    return [float(text.strip("€")) for text in page.locator(".card .price").all_text_contents()]
