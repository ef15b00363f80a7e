from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from catalog.errors import DataError, FetchError
from catalog.media import fetched_path, open_picture
from catalog.media.bringing import MediaConfig, MediaReport, Urls, bring_media, unfetched, urls_of
from catalog.media.downloader import Downloader
from catalog.media.ledger import MediaLedger
from catalog.media.limits import MediaLimits
from catalog.media.scripted_host import Act, Reply, ScriptedHost
from catalog.media.turns import Turns

NAMES = ("one.example", "two.example")


def png(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (0, 0, 255)).save(buffer, "PNG")
    return buffer.getvalue()


class Shop:
    """A host on loopback under two names, and a store that brings from it."""

    def __init__(self, host: ScriptedHost, root: Path) -> None:
        self.host, self.root = host, root

    def url(self, path: str, name: str = NAMES[0]) -> str:
        return self.host.url(path, name)

    def bring(self, *urls: str, **more: object) -> MediaReport:
        options = {key: more.pop(key) for key in ("retry", "refresh", "limit") if key in more}
        config = MediaConfig(**{"allow_hosts": NAMES, "ports": (self.host.port,), "backoff": 0.01, **more})
        with Downloader(config, resolve=lambda name: ["127.0.0.1"]) as downloader:
            return bring_media(dict.fromkeys(urls, ("image",)), self.root, downloader, config, **options)

    def failures(self) -> dict[str, tuple[str, int]]:
        table = pl.read_parquet(self.root / "media" / "failures.parquet")
        return {row["url"]: (row["reason"], row["attempts"]) for row in table.iter_rows(named=True)}


@contextlib.contextmanager
def shop(root: Path, acts: dict[str, Act]) -> Iterator[Shop]:
    with ScriptedHost(acts) as host:
        yield Shop(host, root)


def test_urls_are_those_of_the_first_pictures_and_videos() -> None:
    items = pl.DataFrame(
        {
            "images": [["https://a/1.jpg", "/local.jpg", "https://a/2.jpg"], None, ["https://a/1.jpg", "https://a/3"]],
            "videos": [["https://a/v.mp4"], [], ["https://a/3"]],
        }
    )
    assert urls_of(items, images=2, videos=0) == {"https://a/1.jpg": ("image",), "https://a/3": ("image",)}
    assert urls_of(items) == {
        "https://a/1.jpg": ("image",),
        "https://a/2.jpg": ("image",),
        "https://a/3": ("image", "video"),
        "https://a/v.mp4": ("video",),
    }


def test_what_came_is_opened_by_its_url_and_never_asked_again(tmp_path: Path) -> None:
    with shop(tmp_path, {"/1": Reply(png(1)), "/2": Reply(png(2))}) as place:
        first, second, gone = place.url("/1"), place.url("/2", NAMES[1]), place.url("/gone")
        report = place.bring(first, second, gone)
        assert (report.fetched, report.here, report.failed) == (2, 0, 1)
        assert report.size == len(png(1)) + len(png(2)) and report.failures == {"HTTP 404": 1}
        assert open_picture(first, tmp_path, MediaLimits()).size == (1, 1)
        assert open_picture(second, tmp_path, MediaLimits()).size == (2, 2)
        assert list(unfetched([first, gone], tmp_path)) == [gone]
        assert place.failures() == {gone: ("HTTP 404", 1)}
        place.host.asked.clear()
        again = place.bring(first, second, gone)
        assert (again.fetched, again.here, again.failed) == (0, 2, 1)
        assert place.host.asked == ["/gone"] and place.failures() == {gone: ("HTTP 404", 2)}
        place.host.acts["/gone"] = Reply(png(3))
        assert place.bring(first, gone).fetched == 1 and open_picture(gone, tmp_path, MediaLimits()).size == (3, 3)
        with MediaLedger(tmp_path) as ledger:
            assert ledger.failure(gone) is None


def test_failures_are_tried_by_so_many_runs_and_then_only_when_told(tmp_path: Path) -> None:
    with shop(tmp_path, {}) as place:
        gone = place.url("/gone")
        for _ in range(2):
            assert place.bring(gone, max_attempts=2).failed == 1
        place.host.asked.clear()
        report = place.bring(gone, max_attempts=2)
        assert (report.failed, report.given_up) == (0, 1) and report.failures == {"HTTP 404": 1}
        assert not place.host.asked and report.table is not None
        assert place.bring(gone, max_attempts=2, retry=True).failed == 1 and place.host.asked == ["/gone"]


def test_a_refused_address_is_tried_by_every_run_since_a_setting_mends_it(tmp_path: Path) -> None:
    with shop(tmp_path, {"/1": Reply(png(1))}) as place:
        url = place.url("/1", "127.0.0.1")
        for _ in range(3):
            assert place.bring(url, max_attempts=1).failures == {"refused address": 1}
        assert not place.host.asked
        assert place.bring(url, max_attempts=1, allow_hosts=("127.0.0.1",)).fetched == 1


def test_a_busy_host_is_left_alone_as_long_as_it_asks_and_asked_again(tmp_path: Path) -> None:
    moments: list[float] = []

    def busy(handler: BaseHTTPRequestHandler) -> Reply:
        moments.append(time.monotonic())
        return Reply(b"", 429, {"Retry-After": "1"}) if len(moments) == 1 else Reply(png(1))

    with shop(tmp_path, {"/busy": busy, "/other": Reply(png(2))}) as place:
        report = place.bring(place.url("/busy"), place.url("/other"), per_host=1)
        assert report.fetched == 2 and not report.failed
        assert place.host.asked == ["/busy", "/busy", "/other"] and moments[1] - moments[0] >= 1
        assert open_picture(place.url("/busy"), tmp_path, MediaLimits()).size == (1, 1)


def test_a_server_error_is_asked_again_up_to_a_limit(tmp_path: Path) -> None:
    with shop(tmp_path, {"/500": Reply(b"", 500), "/404": Reply(b"", 404)}) as place:
        report = place.bring(place.url("/500"), place.url("/404"), tries=4)
        assert report.failures == {"HTTP 500": 1, "HTTP 404": 1}
        assert sorted(place.host.asked) == ["/404"] + ["/500"] * 4


def test_a_host_that_asks_for_too_long_a_wait_is_left_and_the_others_are_not(tmp_path: Path) -> None:
    acts: dict[str, Act] = {"/busy": Reply(b"", 503, {"Retry-After": "9999"}), "/fine": Reply(png(1))}
    with shop(tmp_path, acts) as place:
        report = place.bring(
            place.url("/busy"), place.url("/fine"), place.url("/fine", NAMES[1]), per_host=1, longest_wait=1
        )
        assert (report.fetched, report.failed, report.left) == (1, 1, 1)
        assert place.bring(place.url("/fine")).fetched == 1


def test_a_dead_host_is_not_asked_for_each_of_its_urls(tmp_path: Path) -> None:
    acts: dict[str, Act] = {f"/{n}": Reply(b"", 500) for n in range(100)}
    with shop(tmp_path, acts) as place:
        report = place.bring(*(place.url(f"/{n}") for n in range(100)), tries=1, host_failures=5, per_host=2)
        assert 5 <= report.failed <= 7 and report.failed + report.left == 100
        assert len(place.host.asked) == report.failed


def test_no_host_has_more_than_its_share_at_once(tmp_path: Path) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> Reply:
        time.sleep(0.01)
        return Reply(png(1))

    with shop(tmp_path, {f"/{n}": slow for n in range(40)}) as place:
        assert place.bring(*(place.url(f"/{n}") for n in range(40)), per_host=3).fetched == 40
        assert place.host.most <= 3
        place.host.most = 0
        both = [place.url(f"/{n}?", name) for n in range(40) for name in NAMES]
        place.host.acts |= {f"/{n}?": slow for n in range(40)}
        assert place.bring(*both, per_host=3, parallel=4).fetched == 80
        assert place.host.most <= 4


def test_refresh_asks_what_the_server_called_them(tmp_path: Path) -> None:
    def act(handler: BaseHTTPRequestHandler) -> Reply:
        tag = f'"{len(body[0])}"'
        return (
            Reply(status=304) if handler.headers.get("If-None-Match") == tag else Reply(body[0], headers={"ETag": tag})
        )

    body = [png(1)]
    with shop(tmp_path, {"/1": act}) as place:
        url = place.url("/1")
        place.bring(url)
        report = place.bring(url, refresh=True)
        assert (report.fetched, report.unchanged, report.here) == (0, 1, 0)
        body[0] = png(50)
        assert place.bring(url, refresh=True).fetched == 1
        assert open_picture(url, tmp_path, MediaLimits()).size == (50, 50)
        del place.host.acts["/1"]
        assert place.bring(url, refresh=True).failed == 1
        assert open_picture(url, tmp_path, MediaLimits()).size == (50, 50)


def test_a_limit_asks_for_so_many_new_ones(tmp_path: Path) -> None:
    with shop(tmp_path, {f"/{n}": Reply(png(1)) for n in range(5)}) as place:
        urls = [place.url(f"/{n}") for n in range(5)]
        assert [place.bring(*urls, limit=2).fetched for _ in range(4)] == [2, 2, 1, 0]


def test_what_breaks_a_run_keeps_what_was_brought(tmp_path: Path) -> None:
    with shop(tmp_path, {"/1": Reply(png(1)), "/2": Reply(png(2))}) as place:
        blocked = fetched_path(place.url("/2"), tmp_path)
        blocked.parent.parent.mkdir(parents=True)
        blocked.parent.write_bytes(b"a file where a folder has to be")
        with pytest.raises(OSError, match=r"exist|directory"):
            place.bring(place.url("/1"), place.url("/2"), parallel=1)
        blocked.parent.unlink()
        report = place.bring(place.url("/1"), place.url("/2"))
        assert (report.here, report.fetched) == (1, 1)
        assert not list((tmp_path / "media" / ".parts").iterdir())


def test_leftovers_of_a_killed_run_go(tmp_path: Path) -> None:
    parts = tmp_path / "media" / ".parts"
    parts.mkdir(parents=True)
    (parts / ".x.part").write_bytes(b"half")
    with shop(tmp_path, {"/1": Reply(png(1))}) as place:
        place.bring(place.url("/1"))
    assert not list(parts.iterdir())


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "ledger.sqlite").write_bytes(b"no data base" * 999)
    with pytest.raises(DataError, match=r"ledger\.sqlite' cannot be read .*move it away"):
        MediaLedger(tmp_path)


def test_turns_take_the_hosts_in_turn_and_wait_for_those_that_ask() -> None:
    turns = Turns(per_host=1, host_failures=9, backoff=1, longest_wait=60, tries=2)
    for path in "123":
        for host in "ab":
            turns.add(f"{host}{path}", ("image",), host)
    one, two = turns.next(0), turns.next(0)
    assert one and two and (one.url, two.url) == ("a1", "b1") and turns.next(0) is None and turns.until(0) is None
    turns.done(one, 0)
    limited = FetchError("", reason="HTTP 429", retryable=True, wait=7)
    assert turns.failed(two, limited, 0)
    three = turns.next(0)
    assert three and three.url == "a2" and turns.next(0) is None and turns.until(1) == 6
    four = turns.next(7)
    assert four and (four.url, four.tries) == ("b1", 2)
    assert not turns.failed(four, limited, 7)  # twice is all
    turns.done(three, 8)
    assert [ask and ask.url for ask in (turns.next(8), turns.next(8))] == ["a3", None]
    five = turns.next(14)
    assert five and five.url == "b2" and not turns.left


def test_urls_nobody_could_write_are_failures(tmp_path: Path) -> None:
    with shop(tmp_path, {}) as place:
        odd: Urls = dict.fromkeys(["http://[", "http://\ud800.example/", "http://a b/", "http://127.1/"], ("image",))
        report = place.bring(*odd)
        assert report.failures == {"bad URL": 4} and len(place.failures()) == 4


CHILD = """
import sys
from pathlib import Path
from catalog.media.bringing import MediaConfig, bring_media
from catalog.media.downloader import Downloader

port, count = int(sys.argv[1]), int(sys.argv[2])
config = MediaConfig(allow_hosts=("127.0.0.1",), ports=(port,), parallel=4)
urls = dict.fromkeys((f"http://127.0.0.1:{port}/{n}" for n in range(count)), ("image",))
with Downloader(config) as downloader:
    bring_media(urls, Path(sys.argv[3]), downloader, config)
"""


def test_a_killed_run_loses_what_was_under_way_and_no_more(tmp_path: Path) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> Reply:
        time.sleep(0.005)
        return Reply(png(1 + int(handler.path[1:])))

    count = 120
    with shop(tmp_path, {f"/{n}": slow for n in range(count)}) as place:
        urls = {place.url(f"/{n}", "127.0.0.1"): n for n in range(count)}
        for kill_at in (20, 70):
            child = subprocess.Popen([sys.executable, "-c", CHILD, str(place.host.port), str(count), str(tmp_path)])
            while len(place.host.asked) < kill_at and child.poll() is None:
                time.sleep(0.002)
            child.kill()
            assert child.wait() == -signal.SIGKILL
        here = set(urls) - set(unfetched(urls, tmp_path))
        assert 50 <= len(here) < count
        report = place.bring(*urls, allow_hosts=("127.0.0.1",))
        assert (report.here, report.fetched) == (len(here), count - len(here))
        assert all(open_picture(url, tmp_path, MediaLimits()).size == (1 + n,) * 2 for url, n in urls.items())
        assert len(place.host.asked) <= count + 2 * 4  # four were under way at each kill
        assert not list((tmp_path / "media" / ".parts").iterdir())


def test_closing_breaks_off_what_is_still_coming(tmp_path: Path) -> None:
    asked = threading.Event()

    def never(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        time.sleep(5)

    with shop(tmp_path, {"/1": never}) as place, ThreadPoolExecutor(1) as pool:
        downloader = Downloader(MediaConfig(allow_hosts=("127.0.0.1",), ports=(place.host.port,)))
        waiting = pool.submit(downloader.read, place.url("/1", "127.0.0.1"))
        assert asked.wait(5)
        downloader.close()
        assert isinstance(waiting.exception(timeout=3), Exception)


def test_nothing_kept_of_a_failure_holds_a_secret_and_two_keys_are_two_rows(tmp_path: Path) -> None:
    with shop(tmp_path, {}) as place:
        signed = [place.url(f"/none.png?token=TOPSECRET{each}") for each in (1, 2)]
        for _ in range(2):
            place.bring(*signed, place.url("/1.png").replace("//", "//al:TOPSECRET@"))
        failures = place.failures()
    assert sorted(failures.values()) == [("HTTP 404", 2), ("HTTP 404", 2), ("bad URL", 2)]
    assert all("***" in url for url in failures)
    assert b"TOPSECRET" not in (tmp_path / "media" / "ledger.sqlite").read_bytes()
    assert "TOPSECRET" not in str(pl.read_parquet(tmp_path / "media" / "failures.parquet").rows())


def test_refused_addresses_are_refused_each_and_none_is_left(tmp_path: Path) -> None:
    with shop(tmp_path, {}) as place:
        report = place.bring(*(place.url(f"/{n}.png") for n in range(9)), allow_hosts=(), host_failures=2)
    assert report.failures == {"refused address": 9} and report.left == 0
    assert "which is loopback" in report.examples["refused address"] and not place.host.asked


def test_a_run_that_is_told_to_stop_ends_with_what_came(tmp_path: Path) -> None:
    with shop(tmp_path, {f"/{n}": Reply(png(1)) for n in range(9)}) as place:
        config = MediaConfig(allow_hosts=NAMES, ports=(place.host.port,), parallel=1)
        urls: Urls = {place.url(f"/{n}"): ("image",) for n in range(9)}
        with Downloader(config, resolve=lambda name: ["127.0.0.1"]) as downloader:
            report = bring_media(urls, tmp_path, downloader, config, stop=lambda: len(place.host.asked) >= 3)
    assert report.stopped and 2 <= report.fetched < 9
    assert not place.bring(*urls).stopped
