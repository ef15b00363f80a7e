"""Every feature of the page in Chromium, with the shop's own mind behind it; pictures of it in the tests' folder."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from captioning.speech.base import RATE, Segment, Word
from captioning.speech.doubles import ScriptedModel
from captioning.speech.guards import GuardedTranscriber
from captioning.speech.sounds import at_level, babble
from tools.crossmodal.senses import Sense, Senses
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
HEARD = "a blue vase"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[Any]:
    """A toy shop of this module's own that hears: what shoppers do here is nobody else's past."""
    words = tuple(Word(word, 0.2 * at, 0.2 * at + 0.2, 0.97) for at, word in enumerate(HEARD.split()))
    model = ScriptedModel([[Segment(HEARD, 0.0, 0.6, words, no_speech=0.01, logprob=-0.1, compression=1.0)]])
    sense = Sense(lambda: GuardedTranscriber(model, "scripted"))
    shop = toy_shop(folder, pictures=True)
    yield replace(shop, senses=Senses(transcriber=sense))
    shop.events.close()


@pytest.fixture(scope="module")
def address(make: Any, shop: Any) -> Iterator[str]:
    registry = Registry(shop)
    agent = Agent(shop, registry, Minds(ShopPlanner(shop.catalog)), now=lambda: TOY_NOW)
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright has an event loop in this thread
        elsewhere.submit(asyncio.run, agent.warm()).result()  # its imports take seconds, and tests wait by the clock
    with make.running(make.service(shop, registry, agent, captions="pixels", speech="whisper double")) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(folder: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    sound = folder / "voice.wav"
    samples = at_level(babble(np.random.default_rng(0), 4 * RATE), -18)
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={sound}"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the page, in a browser profile of its own; what the console complains of fails the test."""
    contexts, complaints = [], []

    def open_page(width: int = 1280, height: int = 860, at: str = "", **more: Any) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", **{"reduced_motion": "reduce", **more}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(30_000)
        page.goto(address + at)
        page.locator(".card:not(.waiting)").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(opened: Callable[..., Any]) -> Any:
    return opened()


def ask(page: Any, wish: str) -> list[str]:
    """Say `wish` and return the titles that come."""
    page.get_by_label("Your wish").fill(wish)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"“{wish}”").wait_for()
    page.locator("#log[aria-busy=false]").wait_for()
    return titles(page)


def titles(page: Any) -> list[str]:
    return page.locator(".card h3").all_text_contents()


def become(page: Any, who: str) -> None:
    page.get_by_label("You are").fill(who)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"For {who}").wait_for()


def kinds_of(shop: Any, item_id: str, kind: str) -> int:
    return sum(event.item_id == item_id and event.kind == kind for _, event in shop.events.since(0))


class TestWhy:
    def test_signals_are_bars_and_the_words_of_the_wish_are_marked_where_they_stand(self, page):
        ask(page, "a blue vase")
        card = page.locator(".card", has_text="Cobalt bud vase")
        card.get_by_text("Why this?").click()
        card.get_by_text("How strongly").wait_for()
        widths = card.locator(".bar").evaluate_all(
            "(bars) => bars.map((bar) => bar.firstChild.getBoundingClientRect().width / bar.clientWidth)"
        )
        assert widths and all(0 < width <= 1.001 for width in widths)
        picture = card.locator(".passage", has_text="Its picture")
        assert picture.locator("mark").first.inner_text() == "blue"
        assert picture.locator(".passage-text").inner_text().startswith("A blue object")
        assert card.locator(".passage", has_text="Cobalt bud vase").count() == 1
        assert card.locator("dd", has_text="Cobalt bud vase").count() == 0  # said once

    def test_a_guest_nobody_knows_is_told_of_no_taste(self, page):
        card = page.locator(".card").first
        card.get_by_text("Why this?").click()
        card.get_by_text("How strongly").wait_for()
        told = card.locator(".bars").inner_text()
        assert "What others take" in told and "your taste" not in told and "like you" not in told

    def test_what_the_shopper_did_is_told_with_its_date(self, page, shop):
        become(page, "ana")  # she bought a blue scarf
        seen = []
        for why in page.get_by_text("Why this?").all()[:6]:
            why.click()
            page.wait_for_load_state("networkidle")
            seen += page.locator(".did li").all_text_contents()
            if seen:
                break
        titles = [shop.catalog[event.item_id].title for event in shop.events.for_user("ana")]
        line = r"(.*) \(you (?:bought|looked at) it, \d+ (?:February|March) 2026\)\."
        assert seen and all(re.match(line, each)[1] in titles for each in seen)


class TestMarks:
    def test_a_like_is_told_shown_and_taken_back(self, page, shop):
        card = page.locator(".card").first
        item_id, title = card.get_attribute("data-item"), card.locator("h3").inner_text()
        like = card.get_by_role("button", name=f"Like: {title}")
        like.click()
        page.locator("#toast", has_text=f"Liked: {title}").wait_for()
        assert like.get_attribute("aria-pressed") == "true" and kinds_of(shop, item_id, "praise") == 1
        page.locator("#toast").get_by_role("button", name="Undo").click()
        page.wait_for_function("(node) => node.getAttribute('aria-pressed') === 'false'", arg=like.element_handle())
        assert kinds_of(shop, item_id, "praise") == 0

    def test_what_is_hidden_leaves_its_place_to_another_and_comes_back(self, page, shop):
        before = titles(page)
        page.get_by_role("button", name=f"Not this: {before[0]}").click()
        page.locator("#toast", has_text=f"Noted: not {before[0]}").wait_for()
        page.wait_for_function("(n) => document.querySelectorAll('.card').length === n", arg=len(before))
        assert before[0] not in titles(page)
        page.locator("#toast").get_by_role("button", name="Undo").click()
        page.get_by_role("button", name=f"Not this: {before[0]}").wait_for()
        assert titles(page)[0] == before[0]

    def test_what_is_saved_is_still_there_after_a_reload(self, page):
        become(page, "cleo")
        title = titles(page)[1]
        page.get_by_role("button", name=f"Save: {title}").click()
        page.get_by_role("button", name="Saved: one piece").wait_for()
        page.reload()
        page.locator(".card:not(.waiting)").first.wait_for()
        become(page, "cleo")
        page.get_by_role("button", name="Saved: one piece").click()
        shelf = page.get_by_role("dialog", name="Saved for later")
        assert shelf.get_by_role("button", name=title, exact=True).is_visible()
        shelf.get_by_role("button", name=f"Remove: {title}").click()
        shelf.get_by_text("Nothing is saved yet").wait_for()

    def test_the_dressed_window_follows_a_like_when_asked(self, page):
        title = titles(page)[-1]
        page.get_by_role("button", name=f"Like: {title}").click()
        with page.expect_response("**/v1/recommendations") as answer:
            page.locator("#toast").get_by_role("button", name="Dress the window anew").click()
        assert answer.value.json()["ground"] == "session"


class TestTalk:
    def test_chips_narrow_the_answer_in_its_own_words(self, page):
        before = ask(page, "a vase")
        chip = page.locator(".chip", has_text="Only").first
        chip.wait_for()
        wish = chip.inner_text()
        chip.click()
        page.get_by_role("heading", name=f"“{wish}”").wait_for()
        page.locator("#log[aria-busy=false]").wait_for()
        assert 0 < len(titles(page)) < len(before) and set(titles(page)) <= set(before)

    def test_a_streaming_answer_stops_at_the_button(self, page):
        page.route("**/v1/chat", lambda route: None)  # never answered
        page.get_by_label("Your wish").fill("a mug")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop the answer").click()
        page.get_by_text("Stopped.").wait_for()
        assert page.get_by_role("button", name="Send").is_visible()
        assert page.locator("#cards").get_attribute("aria-busy") == "false"

    def test_how_an_answer_came_about_can_be_read(self, page):
        ask(page, "a blue vase under 60 euros")
        page.get_by_role("button", name="How this came about").click()
        drawer = page.get_by_role("dialog", name="How this came about")
        drawer.get_by_text("search_items").first.wait_for()
        told = drawer.inner_text()
        assert "retrieve" in told and "planner" in told and "V01" in told
        drawer.get_by_text("The whole trace as JSON").click()
        assert '"intent"' in drawer.locator(".trace-json").inner_text()
        page.keyboard.press("Escape")
        drawer.wait_for(state="hidden")


class TestMedia:
    def test_pictures_are_chosen_pasted_removed_and_sent_small(self, page, shop):
        picture = shop.root / shop.catalog["V01"].images[0]
        page.locator("#picture-file").set_input_files(str(picture))
        page.get_by_alt_text("Picture 1 of your message").wait_for()
        page.evaluate(
            """async () => {
              const canvas = Object.assign(document.createElement('canvas'), { width: 2400, height: 1200 });
              canvas.getContext('2d').fillRect(0, 0, 2400, 1200);
              const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
              const data = new DataTransfer();
              data.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
              document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
            }"""
        )
        pasted = page.get_by_alt_text("Picture 2 of your message")
        pasted.wait_for()
        assert pasted.evaluate("(img) => img.decode().then(() => [img.naturalWidth, img.naturalHeight])") == [1024, 512]
        page.get_by_role("button", name="Remove picture 1").click()
        page.get_by_alt_text("Picture 2 of your message").wait_for(state="detached")
        page.get_by_label("Your wish").fill("a vase like this")
        with page.expect_request("**/v1/chat") as asked:
            page.keyboard.press("Enter")
        sent = asked.value.post_data_json
        assert sent["message"] == "a vase like this" and len(sent["images"]) == 1
        assert sent["images"][0].startswith("data:image/jpeg;base64,")
        assert page.get_by_role("log").get_by_alt_text("A picture you showed").is_visible()
        page.locator("#log[aria-busy=false]").wait_for()

    def test_a_picture_is_dropped_anywhere_but_a_card_only_on_the_conversation(self, page):
        """The drag's events as a browser gives them for a file from the desktop, over what lies there."""
        drop = """async ([place, own]) => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
          const blob = await new Promise((done) => canvas.toBlob(done));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([blob], 'dropped.png', { type: 'image/png' }));
          const told = (kind, more = {}) => document.querySelector(place).dispatchEvent(
            new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true, ...more }));
          if (own) told('dragstart');
          const left = told('dragover');  // false: somebody takes it
          const shown = document.querySelector('.talk').classList.contains('dropping');
          told('drop');
          if (own) told('dragend');
          return [!left, shown, document.querySelector('.talk').classList.contains('dropping')];
        }"""
        assert page.evaluate(drop, [".talk", False]) == [True, True, False]
        page.get_by_alt_text("Picture 1 of your message").wait_for()
        assert page.evaluate(drop, [".card .picture", False]) == [True, True, False]
        page.get_by_alt_text("Picture 2 of your message").wait_for()
        assert page.evaluate(drop, [".card .picture", True]) == [False, False, False]
        assert page.evaluate(drop, ["#wish", True]) == [True, True, False]
        page.get_by_alt_text("Picture 3 of your message").wait_for()
        assert page.get_by_alt_text("Picture 4 of your message").count() == 0
        page.get_by_label("Your wish").fill("like this")
        with page.expect_request("**/v1/chat") as asked:
            page.keyboard.press("Enter")
        assert len(asked.value.post_data_json["images"]) == 3
        page.locator("#log[aria-busy=false]").wait_for()

    def test_what_is_no_picture_is_told(self, page, folder):
        (folder / "notes.png").write_text("no picture", encoding="utf-8")
        page.locator("#picture-file").set_input_files(str(folder / "notes.png"))
        page.get_by_text("“notes.png” is no picture that can be read here.").first.wait_for()

    def test_what_is_said_is_heard_and_may_be_put_right(self, page):
        page.get_by_role("button", name="Speak").click()
        page.get_by_role("button", name="End the recording").wait_for()
        level = page.get_by_role("meter", name="Level of the microphone")
        page.wait_for_function("() => Number(document.getElementById('level').getAttribute('aria-valuenow')) > 0")
        page.wait_for_timeout(1500)  # the sound itself
        assert level.is_visible()
        page.get_by_role("button", name="End the recording").click()
        page.wait_for_function(f"() => document.getElementById('wish').value === '{HEARD}'")
        assert "Put it right" in page.locator("#heard").inner_text() and level.is_hidden()
        page.get_by_role("button", name="Speak").click()
        page.get_by_role("button", name="End the recording").wait_for()
        page.wait_for_function("() => Number(document.getElementById('level').getAttribute('aria-valuenow')) > 0")
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Send").click()  # ends it too: what is heard is put right before it goes
        page.wait_for_function(f"() => document.getElementById('wish').value === '{HEARD} {HEARD}'")
        page.get_by_role("button", name="Speak").wait_for()
        assert page.locator(".turn").count() == 0
        page.get_by_label("Your wish").fill(f"{HEARD} under 60")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=f"“{HEARD} under 60”").wait_for()
        page.locator("#log[aria-busy=false]").wait_for()

    @pytest.mark.parametrize("muted", [False, True], ids=["ended as it began", "nothing reaches the microphone"])
    def test_a_recording_without_sound_is_not_sent_and_that_is_said(self, page, muted):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # As it began: in the task that starts the recorder, before any sound has come.
        page.evaluate(
            """(muted) => {
              const still = () => new AudioContext().createMediaStreamDestination().stream;
              if (muted) return void (navigator.mediaDevices.getUserMedia = async () => still());
              const speak = document.getElementById("speak");
              new MutationObserver((seen, observer) => {
                observer.disconnect();
                speak.click();
              }).observe(speak, { attributeFilter: ["aria-pressed"] });
            }""",
            muted,
        )
        page.get_by_role("button", name="Speak").click()
        if muted:
            page.wait_for_timeout(700)
            page.get_by_role("button", name="End the recording").click()
        page.locator("#heard", has_text="held no sound").wait_for()
        page.get_by_role("button", name="Speak").wait_for()
        assert page.get_by_role("button", name="Speak").is_enabled()
        assert not [url for url in asked if "transcriptions" in url]
        page.get_by_label("Your wish").fill("a mug")  # the conversation goes on, and the line goes with it
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="“a mug”").wait_for()
        assert page.locator("#heard").is_hidden()

    def test_without_a_speech_model_there_is_no_microphone(self, chromium, make, shop):
        registry = Registry(shop)
        with make.running(make.service(shop, registry, speech="none", captions="pixels")) as address:
            page = chromium.new_page()
            page.goto(address)
            page.get_by_role("button", name="Add a picture").wait_for()
            assert page.get_by_role("button", name="Speak").count() == 0
            page.close()


class TestMemory:
    def test_what_was_told_is_seen_and_erased(self, page, shop):
        become(page, "dora")
        ask(page, "I can't stand red. show me mugs")
        page.get_by_role("button", name="Memory").click()
        sheet = page.get_by_role("dialog", name="What I know of you")
        sheet.get_by_text("You do not like red.").wait_for()
        assert "I can't stand red" in sheet.inner_text()
        sheet.get_by_role("button", name="Forget: You do not like red.").click()
        sheet.get_by_text("Nothing yet.").wait_for()
        assert shop.events.told_by("dora") == []

    def test_everything_is_erased_after_a_second_press(self, page, shop):
        become(page, "emil")
        item = page.locator(".card").first
        item_id = item.get_attribute("data-item")
        item.locator(".mark.praise").click()
        page.locator("#toast", has_text="Liked").wait_for()
        assert any(event.item_id == item_id for event in shop.events.for_user("emil"))
        page.get_by_role("button", name="Memory").click()
        page.get_by_role("button", name="Erase everything about me").click()
        page.get_by_role("button", name="Really erase").click()
        page.get_by_text("Everything about you is erased.").wait_for()
        assert shop.events.for_user("emil") == []

    def test_a_guest_is_told_what_is_kept(self, page):
        page.get_by_role("button", name="Memory").click()
        page.get_by_text("You are a guest").wait_for()

    def test_what_a_guest_told_is_seen_and_erased(self, page):
        ask(page, "I can't stand red. show me mugs")
        red = page.locator(".card", has_text="Red ").count()
        page.get_by_role("button", name="Memory").click()
        sheet = page.get_by_role("dialog", name="What I know of you")
        sheet.get_by_text("You do not like red.").wait_for()
        assert red == 0 and "You are a guest" in sheet.inner_text() and "I can't stand red" in sheet.inner_text()
        assert sheet.get_by_role("button", name="Erase everything about me").count() == 0
        sheet.get_by_role("button", name="Forget: You do not like red.").click()
        sheet.get_by_text("Nothing yet.").wait_for()


class TestCatalogue:
    def test_facets_narrow_sort_and_go_on(self, page, shop):
        page.get_by_role("button", name="Catalogue").click()
        page.get_by_role("heading", name="The catalogue").wait_for()
        assert page.locator(".card").count() == 18
        page.get_by_role("button", name="Show more").click()
        page.wait_for_function("() => document.querySelectorAll('.card').length > 18")
        page.locator(".facet summary", has_text="category").click()
        mugs = sum("mugs" in item.categories and item.availability is not False for item in shop.catalog)
        page.get_by_label("mugs").check()
        page.wait_for_function("(n) => document.querySelectorAll('.card').length === n", arg=mugs)
        assert page.locator(".facet-body:visible").get_by_label("vases").count() == 1  # a second one may be chosen
        page.keyboard.press("Escape")
        page.get_by_label("Order").select_option("price_asc")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)
        prices = [float(text.strip("€")) for text in page.locator(".card .price").all_text_contents()]
        assert prices == sorted(prices) and len(prices) >= 3
        page.get_by_role("button", name="Clear all").click()
        page.wait_for_function("() => document.querySelectorAll('.card').length === 18")
        page.go_back()
        page.get_by_role("heading", name="In the window today").wait_for()

    def test_a_piece_opens_whole(self, page, shop):
        card = page.locator(".card").first
        title = card.locator("h3").inner_text()
        card.get_by_role("button", name=title, exact=True).click()
        sheet = page.get_by_role("dialog", name=title)
        sheet.wait_for()
        record = shop.catalog[card.get_attribute("data-item")]
        told = sheet.inner_text()
        assert record.description in told and "What I see in its picture" in told
        sheet.locator("img").first.evaluate("(img) => img.decode()")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.textContent") == title


class TestLooks:
    def test_dark_and_light_by_the_system_and_by_hand(self, opened):
        page = opened(color_scheme="dark")
        colour = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(colour) == "rgb(21, 19, 17)"
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate(colour) == "rgb(246, 241, 233)"
        page.reload()
        page.locator(".card:not(.waiting)").first.wait_for()
        assert page.evaluate(colour) == "rgb(246, 241, 233)"
        assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "false"

    @pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440, 1920])
    def test_nothing_overflows_at_any_width_with_long_titles_and_no_pictures(self, opened, width):
        page = opened(width, 800)
        item = {
            "item_id": "x",
            "title": "Donaudampfschifffahrtsgesellschaftskapitänsmützenhalterung " * 3,
            "price": 123456.78,
            "currency": "EUR", "rank": 1, "score": 1, "reason": "Because of " + "many " * 60, "brand": "B" * 60,
            "image": None, "caption": None, "channels": {},
            "evidence": [{"kind": "field", "name": "a", "value": 1, "text": "w" * 90}],
        }  # fmt: skip
        answer = {"request_id": "r", "text": "", "ground": "popularity", "total": 3, "nearest": False}
        items = [{**item, "item_id": str(n), "rank": n + 1} for n in range(3)]
        page.route("**/v1/recommendations", lambda route: route.fulfill(json={**answer, "recommendations": items}))
        page.get_by_label("You are").fill("somebody")
        page.keyboard.press("Enter")
        page.locator(".card .initial").nth(2).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        spilled = page.locator(".card").evaluate_all(
            "(cards) => cards.filter((card) => card.scrollWidth > card.clientWidth + 1).length"
        )
        assert spilled == 0

    @pytest.mark.parametrize("width", [800, 1360, 1920])
    def test_the_order_stands_beside_the_title_and_wraps_under_no_facets(self, opened, width):
        page = opened(width=width, at="/#catalogue?query=a+vase+that+is+blue+and+not+too+small+for+tulips")
        page.locator("#sort").wait_for()
        order, head = page.locator(".sort").bounding_box(), page.locator(".window-head").bounding_box()
        words = [page.locator(each).bounding_box() for each in ("#window-title", "#window-note")]
        facets = page.locator("#facet-query").bounding_box()
        assert head["y"] - 4 <= order["y"] and order["y"] + order["height"] <= facets["y"]
        assert order["x"] + order["width"] <= width and all(each["x"] + each["width"] <= order["x"] for each in words)

    def test_pictures_keep_their_place_and_come_in_sizes(self, page):
        image = page.locator(".card img").first
        assert image.get_attribute("width") and image.get_attribute("height")
        assert image.get_attribute("srcset").count("w,") >= 2 and image.get_attribute("loading") == "lazy"

    READY = "() => [...document.querySelectorAll('#cards img')].map((img) => img.complete && img.naturalWidth > 0)"

    @staticmethod
    def far_apart(page):
        """Show cards so far apart that pictures are out of the browser's reach; and slow, as over a line."""
        page.route("**/picture*", lambda route: (time.sleep(0.1), route.continue_()))
        page.add_style_tag(content="#cards { display: block !important } .card { margin-bottom: 9000px !important }")
        page.get_by_label("You are").fill("printer")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="For printer").wait_for()
        return page

    def test_the_keys_of_printing_wait_for_cards_never_scrolled_to(self, opened):
        page = self.far_apart(opened(width=400, height=300, bypass_csp=True))
        page.evaluate(f"() => {{ window.print = () => {{ window.printed = ({self.READY})(); }}; }}")
        assert False in page.evaluate(self.READY)
        page.keyboard.press("Control+p")
        page.wait_for_function("window.printed")
        printed = page.evaluate("window.printed")
        assert len(printed) > 8 and all(printed)

    def test_pictures_come_when_the_pointer_leaves_for_the_menu_with_print_in_it(self, opened):
        page = self.far_apart(opened(width=400, height=300, bypass_csp=True))
        leave = (
            "(kind) => document.documentElement.dispatchEvent(new PointerEvent('pointerleave', { pointerType: kind }))"
        )
        page.evaluate(leave, "touch")  # each tap ends in one
        assert "eager" not in page.locator("#cards img").evaluate_all("(all) => all.map((img) => img.loading)")
        page.evaluate(leave, "mouse")
        page.wait_for_function(f"() => ({self.READY})().every(Boolean)")

    def test_motion_stays_away_when_it_is_not_wanted(self, page):
        moving = page.evaluate(
            "document.getAnimations().filter((each) => each.playState === 'running'"
            " && each.effect.getTiming().duration > 1).length"
        )
        assert moving == 0

    def test_first_paint(self, opened, capsys):
        page = opened()
        paints = page.evaluate("performance.getEntriesByType('paint').map(({ name, startTime }) => [name, startTime])")
        size = page.evaluate(
            "performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css)$/.test(name))"
            ".reduce((sum, each) => sum + each.decodedBodySize, 0)"
        )
        assert {"first-contentful-paint"} <= {name for name, _ in paints} and size < 150_000
        told = [*(f"{name} {at:.0f} ms" for name, at in paints), f"script and style {size / 1000:.0f} kB"]
        with capsys.disabled():
            sys.stdout.write(f"\n{', '.join(told)}\n")


AXE_STATES: dict[str, Callable[[Any], Any]] = {
    "window": lambda page: None,
    "detail": lambda page: (page.locator("button.title").first.click(), page.locator(".detail").wait_for()),
    "memory": lambda page: (page.locator("#memory").click(), page.locator(".memory .lead").wait_for()),
    "answer": lambda page: (ask(page, "a mug"), page.get_by_text("Why this?").first.click()),
    "trace": lambda page: (page.get_by_text("How this came about").click(), page.locator(".trace-view").wait_for()),
    "compare": lambda page: (
        [page.locator(".action.compare").nth(n).click() for n in range(2)],
        page.get_by_role("button", name="Compare 2").click(), page.locator(".side-by-side").wait_for(),
    ),
    "catalogue": lambda page: (
        page.locator("#catalogue").click(), page.get_by_role("heading", name="The catalogue").wait_for(),
        page.locator(".facet summary").first.click(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_no_serious_violation_and_pictures_are_kept(opened, folder, look):
    """What axe-core (Deque, MPL-2.0; it comes with axe-playwright-python) calls serious or critical."""
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python (the dev extra)")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    size = (390, 844) if look == "phone" else (1280, 860)
    page = opened(*size, color_scheme="dark" if look == "dark" else "light")
    page.evaluate(script)
    found: list[str] = []
    for state, reach in AXE_STATES.items():
        reach(page)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        page.screenshot(path=str(folder / f"{state}-{look}.png"))
        for each in page.evaluate("axe.run().then((told) => told.violations)"):
            if each["impact"] in ("serious", "critical"):
                found += [f"{state}: {each['id']}: {node['html'][:120]}" for node in each["nodes"][:3]]
        if page.locator("#sheet").is_visible():
            page.keyboard.press("Escape")
    assert found == [], "\n".join(found)
    assert len(list(folder.glob(f"*-{look}.png"))) == len(AXE_STATES)
