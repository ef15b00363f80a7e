"""Feeds by path, by folder and by URL: guarded, capped, and asked for news only."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.errors import DataError, FetchError
from catalog.media.answers import Validators
from catalog.media.downloader import DownloaderConfig
from catalog.media.scripted_host import Act, Reply, ScriptedHost
from catalog.nouns import Item
from catalog.readers.feeds import read_feed
from catalog.shop_data import ShopData, save_shop
from catalog.sync_download import FeedDownloader
from catalog.sync_source import MEMORY_FILE, feed_files, remember, remembered
from catalog.workspace import Workspace

FEED = b"id\ttitle\timage_link\n1\tHat\thttps://i.example/1.jpg\n"


@contextlib.contextmanager
def host(acts: dict[str, Act], most: int = 10_000, **settings: object) -> Iterator[tuple]:
    with ScriptedHost(acts) as server:
        config = DownloaderConfig(**{"allow_hosts": ("127.0.0.1",), "ports": (server.port,), **settings})
        waits: list[float] = []
        with FeedDownloader(config, most, sleep=waits.append) as downloader:
            yield server, downloader, waits


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    for name in ("b.tsv", "a.xml.gz", ".hidden.tsv", "readme.md", "c.JSONL"):
        (tmp_path / name).write_bytes(FEED)
    with feed_files(str(tmp_path), None) as found:
        assert [path.name for path in found.files] == ["a.xml.gz", "b.tsv", "c.JSONL"] and not found.remote
    with feed_files(str(tmp_path / "readme.md"), None) as found:
        assert [path.name for path in found.files] == ["readme.md"]
    (tmp_path / "empty").mkdir()
    for source, said in (("empty", "holds no feed"), ("none", "does not exist")):
        with pytest.raises(DataError, match=said), feed_files(str(tmp_path / source), None):
            pass


@pytest.mark.parametrize(
    ("path", "body", "headers", "name"),
    [
        ("/export/shop.tsv?token=1", FEED, {}, "shop.tsv"),
        ("/feed", gzip.compress(FEED), {}, "feed"),
        ("/packed.tsv", gzip.compress(FEED), {"Content-Encoding": "gzip"}, "packed.tsv"),
        ("/items", b'{"item_id": "1", "title": "Hat"}\n', {}, "items"),
        ("/%2e%2e/..%2fx.tsv", FEED, {}, "x.tsv"),
        ("/", FEED, {}, "feed"),
    ],
)
def test_a_feed_by_url_is_read_by_its_content(path: str, body: bytes, headers: dict[str, str], name: str) -> None:
    with host({path: Reply(body, headers=headers)}) as (server, down, _):
        with feed_files(server.url(path), down) as found:
            [file] = found.files
            assert found.remote and file.name.endswith(name)
            assert read_feed(found.files, remote=True).items["title"].to_list() == ["Hat"]
        assert not file.parent.exists()


def test_what_the_server_called_it_is_asked_again(tmp_path: Path) -> None:
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> Reply:
        asked.append(handler.headers.get("If-None-Match"))
        return Reply(status=304) if asked[-1] == '"7"' else Reply(FEED, headers={"ETag": '"7"'})

    with host({"/f": answer}) as (server, down, _):
        with feed_files(server.url("/f"), down) as found:
            assert found.validators == Validators('"7"', None)
        with feed_files(server.url("/f"), down, found.validators) as again:
            assert again.files == ()
    assert asked == [None, '"7"']


def test_a_feed_beyond_the_cap_or_of_no_bytes_does_not_come(tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(1_000):
                handler.wfile.write(b"x" * 1_000)

    acts: dict[str, Act] = {"/said": Reply(b"x" * 10_001), "/endless": endless, "/empty": Reply()}
    acts["/brotli"] = Reply(FEED, headers={"Content-Encoding": "br"})
    with host(acts) as (server, down, _):
        for path, reason in (
            ("/said", "too large"),
            ("/endless", "too large"),
            ("/empty", "empty"),
            ("/brotli", "packed"),
        ):
            with pytest.raises(FetchError) as caught, feed_files(server.url(path), down):
                pass
            assert caught.value.reason == reason


def test_what_may_pass_is_tried_again_and_what_may_not_is_not() -> None:
    replies = [Reply(status=503, headers={"Retry-After": "7"}), Reply(status=500), Reply(FEED)]
    with host({"/f": lambda _: replies.pop(0)}) as (server, down, waits):
        with feed_files(server.url("/f"), down) as found:
            assert len(found.files) == 1
        assert waits[0] == 7.0 and len(waits) == 2
        with pytest.raises(FetchError, match="404"), feed_files(server.url("/none"), down):
            pass
        assert len(waits) == 2


def test_a_private_address_is_refused() -> None:
    with host({"/f": Reply(FEED)}, allow_hosts=()) as (server, down, _):
        with pytest.raises(FetchError, match="loopback"), feed_files(server.url("/f"), down):
            pass
        assert server.asked == []


def shop(root: Path, title: str) -> Workspace:
    workspace = Workspace(root)
    save_shop(workspace, ShopData.of("s", [Item("1", title=title)], pl.DataFrame(schema=INTERACTIONS)))
    return workspace


def test_memory_holds_for_this_catalogue_this_reading_and_until_a_sale_begins(tmp_path: Path) -> None:
    url, named = "https://al:pw@shop.example/f?token=secret", Validators('"7"', None)
    workspace = shop(tmp_path, "Hat")
    remember(workspace, url, "asked", named, None)
    assert remembered(workspace, url, "asked") == named
    assert remembered(workspace, url, "asked otherwise") is None
    assert remembered(workspace, "https://shop.example/other", "asked") is None
    kept = (tmp_path / MEMORY_FILE).read_text()
    assert "secret" not in kept and "pw" not in kept
    later = datetime.now(UTC) + timedelta(hours=1)
    for until, found in ((later, named), (later - timedelta(hours=2), None)):
        remember(workspace, url, "asked", named, until)
        assert remembered(workspace, url, "asked") == found
    remember(workspace, url, "asked", Validators(), None)
    assert remembered(workspace, url, "asked") is None
    remember(workspace, url, "asked", named, None)
    shop(tmp_path, "Another import")
    assert remembered(workspace, url, "asked") is None
    (tmp_path / MEMORY_FILE).write_text("{")
    assert remembered(workspace, url, "asked") is None
