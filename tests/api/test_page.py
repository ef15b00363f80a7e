from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.doubles import ScriptedAgent
from api.window import PAGE

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

browser_only = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    text = (PAGE / "app.css").read_text(encoding="utf-8")
    both = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", text)
    assert len(both) >= 10
    return {"light": {name: light for name, light, _ in both}, "dark": {name: dark for name, _, dark in both}}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("ink", "paper"), ("ink", "surface"), ("ink", "raised"), ("ink", "tint"), ("muted", "paper"),
        ("muted", "surface"), ("muted", "plinth"), ("accent", "paper"), ("accent", "surface"), ("on-accent", "accent"),
        ("ink", "mark"), ("paper", "ink"), ("accent", "raised"), ("muted", "raised"), ("muted", "tint"),
    ],
)  # fmt: skip
def test_text_stands_out_in_both_themes(theme, front, back):
    colours = palettes()[theme]
    assert contrast(colours[front], colours[back]) >= 4.5  # WCAG AA for text


def test_the_contrast_formula_is_the_published_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known near miss


@pytest.fixture(scope="module")
def address(make, shop, registry) -> Iterator[str]:
    with make.running(make.service(shop, registry, ScriptedAgent(shop, pause=0.02))) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, address, request):
    width, height = getattr(request, "param", (1280, 860))
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints
    page.set_default_timeout(30_000)
    page.goto(address)
    page.locator(".card:not(.waiting)").first.wait_for()
    yield page
    assert complaints == [], complaints
    context.close()


def ask(page, wish: str) -> None:
    page.get_by_label("Your wish").fill(wish)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"“{wish}”").wait_for()
    page.locator("#log[aria-busy=false]").wait_for()


def prices(page) -> list[float]:
    return [float(text.strip("€")) for text in page.locator(".card .price").all_text_contents()]


def all_pictures_loaded(page) -> bool:
    for picture in page.locator(".card img").all():
        picture.scroll_into_view_if_needed()
    for picture in page.locator(".card img").all():
        picture.evaluate("img => img.decode()")  # asked of the browser itself: the page forbids evaluated strings
    return page.evaluate("[...document.querySelectorAll('.card img')].every((img) => img.naturalWidth > 0)")


class TestPage:
    pytestmark = browser_only

    def test_the_window_is_dressed_before_a_word_is_said(self, page):
        assert page.get_by_role("heading", name="In the window today").is_visible()
        assert page.locator(".card").count() >= 8 and all_pictures_loaded(page)
        assert "without a language model" in page.locator("#mind").inner_text()
        assert page.locator(".chip").count() >= 2

    def test_asking_shows_cards_and_cheaper_ones_are_cheaper(self, page):
        ask(page, "blue vase or lamp")
        before = prices(page)
        assert before and all_pictures_loaded(page)
        first = page.locator(".card").first
        assert first.locator("h3").inner_text() == "Cobalt bud vase"
        assert first.locator(".reason").inner_text()
        assert first.locator(".brand").inner_text().casefold() == "glasgar"
        assert "I found" in page.get_by_role("log").inner_text()
        page.get_by_role("button", name="Cheaper ones").click()
        page.get_by_role("heading", name="“Cheaper ones”").wait_for()
        after = prices(page)
        assert after and max(after) < min(before)

    def test_nothing_found_keeps_the_window_and_says_so(self, page):
        shown = page.locator(".card h3").all_text_contents()
        page.get_by_label("Your wish").fill("zeppelin")
        page.keyboard.press("Enter")
        page.get_by_text("Nothing in the window fits that").wait_for()
        assert page.locator(".card h3").all_text_contents() == shown

    def test_not_this_is_kept_and_the_card_goes(self, page, shop):
        card = page.locator(".card").first
        title, item_id = card.locator("h3").inner_text(), card.get_attribute("data-item")
        with page.expect_response("**/v1/events") as answer:
            page.get_by_role("button", name=f"Not this: {title}").click()
        assert answer.value.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        page.locator(f'.card[data-item="{item_id}"]').wait_for(state="detached")
        assert page.locator("#said").inner_text() == f"Noted: not {title}."
        assert page.locator("#toast").get_by_role("button", name="Undo").is_visible()
        assert any(e.item_id == item_id and e.kind == "dismiss" for _, e in shop.events.since(0))

    def test_more_like_this_dresses_the_window_anew(self, page):
        title = page.locator(".card h3").first.inner_text()
        page.get_by_role("button", name=f"More like this: {title}").click()
        page.get_by_role("heading", name=f"Like “{title}”").wait_for()
        assert title not in page.locator(".card h3").all_text_contents()

    def test_two_stand_side_by_side(self, page):
        titles = page.locator(".card h3").all_text_contents()[:2]
        for title in titles:
            page.get_by_role("button", name=f"Compare: {title}").click()
        page.get_by_role("button", name="Compare 2").click()
        dialog = page.get_by_role("dialog", name="Side by side")
        dialog.wait_for()
        heads = dialog.locator(".compare-title").all_text_contents()
        assert heads == titles
        assert dialog.get_by_role("row", name=re.compile("Price")).is_visible()
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")

    def test_another_shopper_sees_another_window(self, page):
        page.get_by_label("You are").fill("ana")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="For ana").wait_for()
        assert "what you bought" in page.locator("#window-note").inner_text()
        assert "Merino scarf, blue" not in page.locator(".card h3").all_text_contents()

    def test_after_a_name_the_next_keys_are_a_wish(self, page):
        page.get_by_label("You are").focus()
        page.keyboard.type("ana")
        page.keyboard.press("Enter")
        page.keyboard.type("blue vase")
        assert page.get_by_label("Your wish").input_value() == "blue vase"
        page.get_by_role("heading", name="For ana").wait_for()

    def test_by_keyboard_alone(self, page):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the conversation"
        page.keyboard.press("Enter")
        page.keyboard.type("green mug")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("or vase")
        assert page.get_by_label("Your wish").input_value() == "green mug\nor vase"
        page.keyboard.press("Escape")
        assert page.get_by_label("Your wish").input_value() == ""
        page.keyboard.type("blue vase or lamp")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“blue vase or lamp”").wait_for()
        page.get_by_role("button", name="Cheaper ones").wait_for()
        reached = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "(({textContent, className}) => [textContent, className])(document.activeElement)"
                ".concat(getComputedStyle(document.activeElement).outlineStyle)"
            )
            reached.add(seen[0].strip())
            assert seen[2] != "none", seen
        assert {"Why this?", "More like this", "Not this", "Compare", "Cobalt bud vase"} <= reached
        page.get_by_label("Your wish").focus()
        for _ in range(8):  # the chips stand before it
            page.keyboard.press("Shift+Tab")
            if page.evaluate("document.activeElement.textContent") == "Cheaper ones":
                break
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“Cheaper ones”").wait_for()

    def test_escape_stops_an_answer(self, page):
        page.route("**/v1/chat", lambda route: None)  # never answered
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop the answer").wait_for()
        page.get_by_label("Your wish").focus()
        page.keyboard.press("Escape")
        page.get_by_text("Stopped.").wait_for()
        page.get_by_role("button", name="Send").wait_for()

    def test_errors_are_told_and_may_be_tried_again(self, page):
        body = (
            'event: error\ndata: {"detail": "The shop is being dusted."}\n\nevent: done\ndata: {"session_id": "x"}\n\n'
        )
        page.route("**/v1/chat", lambda route: route.fulfill(content_type="text/event-stream", body=body))
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_text("The shop is being dusted.").wait_for()
        page.unroute("**/v1/chat")
        page.get_by_role("button", name="Try again").click()
        page.get_by_role("heading", name="“a mug”").wait_for()

    def test_text_of_the_shop_is_never_html(self, page):
        evil = "<img src=x onerror=alert(1)><b>bold</b>"
        item = (
            f'{{"item_id": "x", "title": "{evil}", "price": 1, "currency": "EUR", "rank": 1, "score": 1, '
            f'"reason": "{evil}", "brand": "{evil}", "image": null, "caption": null, '
            f'"evidence": [{{"kind": "field", "name": "a", "value": 1, "text": "{evil}"}}]}}'
        )
        body = (
            f'event: token\ndata: {{"text": "{evil}"}}\n\n'
            f'event: recommendations\ndata: {{"outcome": "recommended", "items": [{item}]}}\n\n'
            'event: done\ndata: {"session_id": "x", "text": "", "recommendations": []}\n\n'
        )
        page.route("**/v1/chat", lambda route: route.fulfill(content_type="text/event-stream", body=body))
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.locator(".card h3", has_text="onerror").wait_for()
        assert page.locator(".card b, .log b, .card img, .log img").count() == 0

    @pytest.mark.parametrize("page", [(390, 844), (320, 640)], indirect=True)
    def test_a_phone_shows_it_without_scrolling_sideways(self, page):
        def fits() -> bool:
            return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

        assert fits()
        ask(page, "blue vase or lamp")
        assert fits() and page.get_by_label("Your wish").is_visible()
        for button in page.locator(".action, .plinth .mark, .tool, .chip").all()[:16]:
            box = button.bounding_box()
            assert box["width"] >= 44 and box["height"] >= 44  # a finger's width
        left, right = (page.locator(".card").nth(n).bounding_box() for n in (0, 1))
        assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]

    def test_everything_has_a_name(self, page):
        ask(page, "blue vase or lamp")
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, a, input, textarea, summary, img, [role]')].filter((node) => {
                 const labelled = node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.alt
                   || node.textContent.trim() || node.labels?.length;
                 return !labelled && node.getAttribute('aria-hidden') !== 'true' && !node.hidden;
               }).map((node) => node.outerHTML.slice(0, 80))"""
        )
        assert [each for each in nameless if 'id="said"' not in each and 'id="tray"' not in each] == []
        assert page.evaluate("document.documentElement.lang") == "en"
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert len(ids) == len(set(ids))
        assert page.locator("h1").count() == 1 and page.locator("main").count() == 1
        alternatives = page.locator(".card img").evaluate_all("(all) => all.map((img) => img.alt)")
        assert alternatives[0] == "Cobalt bud vase. A blue object, a rounded upright shape, on a plain background."
        log = page.get_by_role("log")
        assert log.get_attribute("aria-live") == "polite"

    def test_the_reference_is_drawn_without_help_from_elsewhere(self, page, address):
        page.goto(f"{address}/docs")
        page.locator(".door").first.wait_for()
        door = page.locator(".door", has_text="/v1/recommendations").first
        door.locator("summary").click()
        assert door.get_by_role("table").first.is_visible() and "user_id" in door.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


class TestLockedPage:
    pytestmark = browser_only

    def test_a_shop_with_keys_asks_once_and_shows_its_pictures(self, chromium, make, shop, registry):
        key = "a-key-of-some-length"
        with make.running(make.service(shop, registry), {"VITRINE_API_KEYS": f"acme:{key}"}) as address:
            page = chromium.new_page()
            page.goto(address)
            page.get_by_label("This shop asks for a key").fill(key)
            page.keyboard.press("Enter")
            page.locator(".card:not(.waiting)").first.wait_for()
            assert all_pictures_loaded(page)
            page.close()
