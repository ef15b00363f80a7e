"""Ways into the page and out of it: addresses, the way back, tabs, a service that is away or busy, narrow screens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.doubles import ScriptedAgent

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
KEY = "a-key-of-some-length"
LATER = {"status": 503, "content_type": "application/problem+json", "headers": {"Retry-After": "1"}}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(make: Any, shop: Any, registry: Any) -> Iterator[str]:
    with make.running(make.service(shop, registry, ScriptedAgent(shop))) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the page at `at` of a size, `before` doing something to it first; what a script throws fails the test."""
    contexts, thrown = [], []

    def open_page(at: str = "", size: tuple[int, int] = (1280, 860), before: Any = None, **more: Any) -> Any:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="en-GB", reduced_motion="reduce", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.set_default_timeout(30_000)
        if before:
            before(page)
        page.goto(address + at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert thrown == []


def dressed(page: Any) -> Any:
    page.locator(".card:not(.waiting)").first.wait_for()
    return page


class TestAddresses:
    def test_a_piece_has_an_address_and_the_way_back_closes_it(self, opened):
        page = dressed(opened())
        card = page.locator(".card").nth(1)
        title, item_id = card.locator("h3").inner_text(), card.get_attribute("data-item")
        card.get_by_role("button", name=title, exact=True).click()
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        assert page.url.endswith(f"/?piece={item_id}")
        page.go_back()
        sheet.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.textContent") == title
        page.go_forward()
        sheet.wait_for()
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        page.wait_for_url(lambda url: "piece" not in url)

    def test_a_link_opens_a_piece_and_its_closing_does_not_leave_the_shop(self, opened, shop):
        page = dressed(opened("/?piece=V01"))
        sheet = page.get_by_role("dialog", name=shop.catalog["V01"].title)
        sheet.wait_for()
        page.keyboard.press("Escape")
        sheet.wait_for(state="hidden")
        page.wait_for_url(lambda url: "piece" not in url)
        assert page.locator(".card").count() >= 8

    def test_a_link_to_a_piece_that_is_gone_says_so(self, opened):
        page = dressed(opened("/?piece=nothing"))
        page.get_by_text("It is not in the shop, or no longer.").wait_for()

    def test_the_catalogue_with_its_filters_is_a_link(self, opened, shop):
        mugs = [item for item in shop.catalog if "mugs" in item.categories and item.availability is not False]
        page = dressed(opened("/#catalogue?f.category=mugs&sort=price_asc&max=14"))
        page.get_by_role("heading", name="The catalogue").wait_for()
        prices = [float(text.strip("€")) for text in page.locator(".card .price").all_text_contents()]
        assert prices == sorted(item.price for item in mugs if item.price and item.price <= 14) and prices
        page.get_by_role("button", name="Clear all").click()
        page.wait_for_url(lambda url: url.endswith("#catalogue?sort=price_asc"))

    def test_the_way_back_leads_from_a_pieces_likes_to_the_catalogue(self, opened):
        page = dressed(opened("/#catalogue?f.category=mugs"))
        page.get_by_role("heading", name="The catalogue").wait_for()
        title = page.locator(".card h3").first.inner_text()
        page.get_by_role("button", name=f"More like this: {title}").click()
        page.get_by_role("heading", name=f"Like “{title}”").wait_for()
        assert page.get_by_role("button", name="Catalogue").get_attribute("aria-pressed") == "false"
        page.go_back()
        page.get_by_role("heading", name="The catalogue").wait_for()
        assert page.locator(".card h3").first.inner_text() == title
        page.get_by_role("button", name="Catalogue").click()
        page.get_by_role("heading", name="In the window today").wait_for()

    def test_an_answer_leaves_the_catalogue_and_the_way_back_returns_to_it(self, opened):
        page = dressed(opened("/#catalogue"))
        page.get_by_role("heading", name="The catalogue").wait_for()
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“a mug”").wait_for()
        assert "#" not in page.url
        page.go_back()
        page.get_by_role("heading", name="The catalogue").wait_for()

    def test_the_answer_still_stands_behind_the_catalogue(self, opened):
        page = dressed(opened())
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        answer = page.get_by_role("heading", name="“a mug”")
        answer.wait_for()
        titles = page.locator(".card h3").all_text_contents()
        page.get_by_role("button", name="Catalogue").click()
        page.get_by_role("heading", name="The catalogue").wait_for()
        page.get_by_role("button", name="Catalogue").click()
        answer.wait_for()
        assert page.locator(".card h3").all_text_contents() == titles
        page.get_by_text("Why this?").first.click()
        page.get_by_text("How strongly").or_(page.get_by_text("In its record")).first.wait_for()


class TestAwayAndBusy:
    def test_a_busy_shop_is_asked_again_by_itself(self, opened):
        refused = []

        def busy(route: Any) -> None:
            if len(refused) < 4:  # more than one request tries by itself: the window waits on
                refused.append(route.request.url)
                route.fulfill(body=json.dumps({"detail": "too much is asked at once; try again in 1 s"}), **LATER)
            else:
                route.continue_()

        page = opened(before=lambda page: page.route("**/v1/recommendations", busy))
        page.get_by_text("Too much is asked at once").first.wait_for()
        dressed(page)
        assert len(refused) == 4 and page.get_by_role("button", name="Try again").count() == 0

    def test_a_wish_put_off_is_sent_again_and_may_be_stopped_meanwhile(self, opened):
        page = dressed(opened())
        refused = []

        def busy(route: Any) -> None:
            refused.append(route.request.url)
            route.fulfill(body=json.dumps({"detail": "busy"}), **{**LATER, "headers": {"Retry-After": "5"}})

        page.route("**/v1/chat", busy)
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop the answer").click()
        page.get_by_text("Stopped.").wait_for()
        assert len(refused) == 1
        page.unroute("**/v1/chat")
        once = []

        def once_busy(route: Any) -> None:
            if once:
                return route.continue_()
            once.append(1)
            return route.fulfill(body=json.dumps({"detail": "busy"}), **LATER)

        page.route("**/v1/chat", once_busy)
        page.get_by_label("Your wish").fill("a vase")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“a vase”").wait_for()

    def test_a_shop_out_of_reach_offers_another_try(self, opened):
        page = opened(before=lambda page: page.route("**/v1/shop", lambda route: route.abort()))
        page.get_by_text("The shop cannot be reached just now.").first.wait_for()
        page.unroute("**/v1/shop")
        page.get_by_role("button", name="Try again").click()
        dressed(page)
        assert "pieces" in page.locator("#shop").inner_text()

    def test_what_was_out_of_reach_is_asked_for_again(self, opened):
        missed = []

        def once(route: Any) -> None:
            path = route.request.url.rpartition("/")[2]
            if path in missed:
                return route.continue_()
            missed.append(path)
            return route.abort()

        def away(page: Any) -> None:
            page.route("**/v1/recommendations", once)
            page.route("**/v1/tools/explain_item", once)

        page = dressed(opened(before=away))  # the window by itself
        why = page.get_by_text("Why this?").first
        with page.expect_event("requestfailed"):
            why.click()
        why.click()
        why.click()
        page.get_by_text("How strongly").wait_for()
        assert missed == ["recommendations", "explain_item"]

    def test_an_answer_that_breaks_off_keeps_what_came_and_offers_another_try(self, opened):
        page = dressed(opened())
        begun = 'event: token\ndata: {"text": "I found "}\n\n'
        page.route("**/v1/chat", lambda route: route.fulfill(content_type="text/event-stream", body=begun))
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_text("The answer broke off.").wait_for()
        assert page.locator(".answer").inner_text() == "I found"
        page.unroute("**/v1/chat")
        page.get_by_role("button", name="Try again").click()
        page.get_by_role("heading", name="“a mug”").wait_for()
        assert page.get_by_text("(you)").count() == 1  # said once
        assert page.get_by_text("broke off").count() == page.get_by_role("button", name="Try again").count() == 0

    def test_a_wrong_key_is_told_and_a_closed_door_can_be_opened_again(self, chromium, make, shop, registry):
        with make.running(make.service(shop, registry), {"VITRINE_API_KEYS": f"acme:{KEY}"}) as address:
            page = chromium.new_page()
            page.goto(address)
            field = page.get_by_label("This shop asks for a key")
            field.fill("another-key-of-some-length")
            page.keyboard.press("Enter")
            page.get_by_text("That key is not known here").wait_for()
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Enter a key").click()
            field.fill(KEY)
            page.keyboard.press("Enter")
            dressed(page)
            page.close()


def test_what_is_saved_in_one_tab_is_saved_in_the_other(opened):
    first = dressed(opened())
    second = first.context.new_page()
    second.set_default_timeout(30_000)
    second.goto(first.url)
    for page in (first, second):
        dressed(page).get_by_label("You are").fill("twin")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="For twin").wait_for()
    first.locator(".card .mark.cart").first.click()
    second.get_by_role("button", name="Saved: one piece").wait_for()
    second.locator(".card .mark.cart").nth(1).click()
    first.get_by_role("button", name="Saved: 2 pieces").wait_for()


class TestPhone:
    SIZE = (390, 844)

    def test_the_catalogue_is_there_at_once_and_an_open_facet_covers_nothing(self, opened):
        page = dressed(opened(size=self.SIZE, has_touch=True, is_mobile=True))
        page.get_by_role("button", name="Catalogue").click()
        heading = page.get_by_role("heading", name="The catalogue")
        heading.wait_for()
        page.get_by_text("What are you").wait_for(state="hidden")
        assert 0 <= heading.bounding_box()["y"] < 200
        page.locator(".facet summary").first.click()
        body = page.locator(".facet-body").first.bounding_box()
        for below in (page.locator(".facet summary").nth(1), page.locator("#sort"), page.locator(".card").first):
            assert below.bounding_box()["y"] >= body["y"] + body["height"] - 1

    def test_the_first_cards_stand_in_the_first_view_and_a_wish_lets_the_keyboard_go(self, opened):
        page = dressed(opened(size=self.SIZE, has_touch=True, is_mobile=True))
        assert page.locator(".card").first.bounding_box()["y"] < self.SIZE[1] / 2
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“a mug”").wait_for()
        assert page.evaluate("document.activeElement.id") != "wish"

    def test_three_stand_side_by_side_without_scrolling_sideways(self, opened):
        page = dressed(opened(size=self.SIZE, has_touch=True, is_mobile=True))
        for n in range(3):
            page.locator(".action.compare").nth(n).click()
        page.get_by_role("button", name="Compare 3").click()
        table = page.locator(".compare-scroll")
        table.wait_for()
        assert table.evaluate("(node) => node.scrollWidth <= node.clientWidth")
        prices = page.get_by_role("row", name="Price").get_by_role("cell")
        assert prices.count() == 3


@pytest.mark.parametrize("width", [780, 1024, 1280])
def test_facets_open_inside_the_screen(opened, width):
    page = dressed(opened("/#catalogue", size=(width, 800)))
    page.locator(".facet").first.wait_for()
    for facet in page.locator(".facet").all():
        facet.locator("summary").click()
        box = facet.locator(".facet-body").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_two_columns_of_cards_stand_on_a_tablet(opened):
    page = dressed(opened(size=(820, 1180)))
    left, right = (page.locator(".card").nth(n).bounding_box() for n in (0, 1))
    assert left["y"] == right["y"]


def test_one_rating_reads_the_same_everywhere(opened, shop):
    page = dressed(opened("/?piece=V01"))
    page.get_by_text("Rated 4.6 of 5, by 31 shoppers").wait_for()
    assert f"{shop.catalog['V01'].rating:g}" == "4.6"


def test_a_shop_with_nothing_on_offer_says_so(opened):
    nothing = {"request_id": "r", "text": "", "ground": "popularity", "total": 0, "nearest": False}
    empty = {**nothing, "recommendations": []}
    page = opened(before=lambda page: page.route("**/v1/recommendations", lambda route: route.fulfill(json=empty)))
    page.get_by_text("Nothing is on offer just now.").wait_for()


def test_enlarged_four_times_nothing_that_has_the_focus_is_covered(opened):
    page = dressed(opened(size=(320, 215)))  # 1280 x 860 at 400%
    covered = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name, free = page.evaluate(
            """(() => {
                 const node = document.activeElement, box = node.getBoundingClientRect();
                 const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 10)];
                 const there = document.elementFromPoint(Math.min(x, innerWidth - 1), Math.min(y, innerHeight - 1));
                 return [node.textContent, node === document.body || node.contains(there) || there.contains(node)];
               })()"""
        )
        covered += [] if free else [name]
    assert covered == [] and page.evaluate("document.documentElement.scrollWidth") <= 320
