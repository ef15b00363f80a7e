from __future__ import annotations

import contextlib
import copy
import gzip
import hashlib
import io
import ipaddress
import shutil
import ssl
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import ConfigError, FetchError
from catalog.media.addresses import barred
from catalog.media.answers import Validators, retry_after
from catalog.media.downloader import Downloader, DownloaderConfig
from catalog.media.limits import MediaLimits
from catalog.media.scripted_host import Act, Reply, ScriptedHost
from catalog.media.sniff import sniff

HOST = "shop.example"


def picture(form: str = "PNG", side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (255, 0, 0)).save(buffer, form)
    return buffer.getvalue()


PNG = picture()


class Names:
    """A resolver: each look-up of a name takes its next answer, the last for good."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): [each.split() for each in given] for name, given in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        given = self.answers.get(host)
        if given is None:
            raise OSError("Name or service not known")
        return given.pop(0) if len(given) > 1 else given[0]


@contextlib.contextmanager
def shop(acts: dict[str, Act], limits: MediaLimits | None = None, **settings: object) -> Iterator[tuple]:
    """A host on loopback, and a downloader that may ask it under the name `shop.example` only."""
    with ScriptedHost(acts) as host:
        names = Names(shop_example=["127.0.0.1"], evil_example=["127.0.0.1"])
        config = DownloaderConfig(**{"allow_hosts": (HOST,), "ports": (host.port,), "timeout": 5, **settings})
        with Downloader(config, limits, resolve=names) as downloader:
            yield host, downloader, names


def failure(downloader: Downloader, url: str, **more: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        downloader.read(url, **more)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_picture_comes_whole_by_name_over_one_connection(tmp_path: Path) -> None:
    with shop({"/a.png": Reply(PNG, headers={"ETag": '"1"', "Content-Type": "text/html"})}) as (host, down, names):
        url = host.url("/a.png#part", HOST)
        target = tmp_path / "deep" / "er" / "a"
        fetched = down.fetch(url, target)
        assert fetched is not None and target.read_bytes() == PNG
        assert (fetched.url, fetched.kind, fetched.form, fetched.size) == (url, "image", "PNG", len(PNG))
        assert fetched.sha == hashlib.sha256(PNG).hexdigest() and fetched.validators.etag == '"1"'
        data, again = down.read(url)
        assert data == PNG and again.final_url == host.url("/a.png", HOST)
        assert names.asked == [HOST] and host.names == [f"{HOST}:{host.port}"] * 2
        assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("100.64.0.1", "not global"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "private"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("192.88.99.1", "not global"),
        ("198.18.0.1", "private"),
        ("203.0.113.9", "private"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:93.184.215.14", "IPv4-mapped"),
        ("::93.184.215.14", "reserved"),
        ("64:ff9b::a9fe:a9fe", "reserved|not global"),
        ("64:ff9b:1::a00:1", "private|reserved|not global"),
        ("2002:7f00:1::1", "not global"),
        ("2001:0:53aa:64c:0:fbff:ce78:fff7", "private|not global"),
        ("2001:db8::1", "private"),
        ("3fff::1", "not global"),
        ("fc00::1", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "of a zone"),
        ("fec0::1", "private|not global"),
        ("ff02::1", "multicast"),
    ],
)
def test_no_address_but_a_public_one_is_asked(address: str, why: str) -> None:
    assert (barred(ipaddress.ip_address(address)) or "") in why.split("|")
    with Downloader(resolve=Names(evil_example=[address])) as downloader:
        error = failure(downloader, "http://evil.example/1.jpg")
        if "%" not in address:
            written = f"[{address}]" if ":" in address else address
            assert "would be valid" in str(failure(downloader, f"http://{written}/1.jpg"))
    assert error.reason == "refused address" and "'evil.example' has the address" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_not_barred(address: str) -> None:
    assert barred(ipaddress.ip_address(address)) is None


def test_a_name_with_a_public_and_a_private_address_is_a_trick() -> None:
    with Downloader(resolve=Names(evil_example=["93.184.215.14 10.0.0.1"])) as downloader:
        assert failure(downloader, "https://evil.example/1.jpg").reason == "refused address"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://shop.example/1.jpg",
        "gopher://shop.example/",
        "/etc/passwd",
        "http:///1.jpg",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://shop.example./1.jpg",
        "http://user@shop.example/1.jpg",
        "http://user:word@shop.example/1.jpg",
        "http://shop.example@127.0.0.1/",
        "http://shop.example\\@127.0.0.1/",
        "http://127.0.0.1%2f@shop.example/",
        "http://%31%32%37.0.0.1/",
        "http://127。0。0。1/",
        "http://１２７.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://ｓhop.example/",
        "http://shop .example/",
        "http://shop\t.example/",
        "http://[::1%25lo]/",
        "http://[::1/",
        "http://-shop.example/",
        "http://shop..example/",
        "http://shop.example:99999/",
        "http://shop.example:x/",
        "http://" + "a" * 300 + ".example/",
        "http://shop.example/\x00",
    ],
)
def test_an_odd_url_is_refused_unasked(url: str) -> None:
    names = Names(shop_example=["127.0.0.1"])
    with Downloader(resolve=names) as downloader:
        error = failure(downloader, url)
    assert error.reason in ("bad URL", "refused address") and not error.retryable
    assert not names.asked


def test_names_of_other_scripts_are_asked_in_their_ascii_form() -> None:
    names = Names()
    with Downloader(resolve=names) as downloader:
        assert failure(downloader, "https://bücher.example/ä b.jpg").reason == "unresolved host"
    assert names.asked == ["xn--bcher-kva.example"]


def test_only_named_ports_are_asked() -> None:
    with Downloader(resolve=Names(shop_example=["93.184.215.14"])) as downloader:
        error = failure(downloader, "http://shop.example:6379/")
    assert error.reason == "refused address" and "port 6379 is not asked; 80, 443" in str(error)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "refused address"),
        ("http://127.0.0.1:{port}/a.png", "refused address"),
        ("http://localhost:{port}/a.png", "unresolved host"),
        ("http://evil.example:{port}/a.png", "refused address"),
        ("http://[::1]:{port}/a.png", "refused address"),
        ("http://[::ffff:127.0.0.1]:{port}/a.png", "refused address"),
        ("//evil.example:{port}/a.png", "refused address"),
        ("http://0x7f000001:{port}/a.png", "bad URL"),
        ("http://shop.example@127.0.0.1:{port}/a.png", "bad URL"),
        ("http://shop.example:22/", "refused address"),
        ("file:///etc/passwd", "bad URL"),
        ("", "redirect to nowhere"),
        ("http://[", "bad URL"),
    ],
)
def test_each_redirect_is_checked_like_the_first(location: str, reason: str) -> None:
    with shop({"/a.png": Reply(PNG)}, timeout=1) as (host, downloader, _):
        there = location.format(port=host.port).replace(":{}", "")
        ports = (host.port, 80)
        host.acts["/go"] = Reply(status=302, headers={"Location": there})
        config = downloader.config.model_copy(update={"ports": ports})
        with Downloader(config, resolve=Names(shop_example=["127.0.0.1"], evil_example=["127.0.0.1"])) as strict:
            assert failure(strict, host.url("/go", HOST)).reason == reason
        assert "/a.png" not in host.asked


def test_five_redirects_are_followed_and_not_six(tmp_path: Path) -> None:
    acts: dict[str, Act] = {f"/{n}": Reply(b"x", 302, {"Location": f"/{n + 1}"}) for n in range(30)}
    acts |= {"/loop": Reply(status=307, headers={"Location": "/loop"}), "/5": Reply(PNG)}
    with shop(acts) as (host, downloader, _):
        assert downloader.read(host.url("/0", HOST))[1].final_url == host.url("/5", HOST)
        del host.acts["/5"]
        host.acts["/5"] = Reply(status=301, headers={"Location": "/6"})
        host.asked.clear()
        error = failure(downloader, host.url("/0", HOST))
        assert error.reason == "redirects" and "more than 5 times" in str(error)
        assert failure(downloader, host.url("/loop", HOST)).reason == "redirects"
        assert len(host.asked) == 12


def test_a_name_is_resolved_once_and_the_connection_goes_where_was_checked() -> None:
    """DNS rebinding: what a second look-up would give is never asked."""
    with (
        ScriptedHost({"/a.png": Reply(PNG)}, address="127.0.0.2") as good,
        ScriptedHost({"/a.png": Reply(picture("GIF"))}, port=good.port) as inner,
    ):
        names = Names(shop_example=["127.0.0.2", "127.0.0.1"])
        config = DownloaderConfig(allow_hosts=("127.0.0.2",), ports=(good.port,))
        with Downloader(config, resolve=names) as downloader:
            assert downloader.read(good.url("/a.png", HOST))[0] == PNG
        assert names.asked == [HOST] and not inner.asked
        with Downloader(config, resolve=names) as downloader:  # a new connection is judged anew
            assert failure(downloader, good.url("/a.png", HOST)).reason == "refused address"
        assert not inner.asked


def test_the_environment_names_no_proxy_and_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine shop.example login a password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    seen: list[str | None] = []

    def act(handler: BaseHTTPRequestHandler) -> Reply:
        seen.append(handler.headers.get("Authorization"))
        return Reply(PNG)

    with ScriptedHost({}) as proxy, shop({"/a.png": act}) as (host, downloader, _):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        downloader.read(host.url("/a.png", HOST))
        assert seen == [None] and not proxy.asked


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
    with contextlib.suppress(OSError):
        for _ in range(100_000):
            handler.wfile.write(bytes(65_536))


def endless_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(PNG), PNG))
        for _ in range(100_000):
            handler.wfile.write(b"10000\r\n" + bytes(65_536) + b"\r\n")


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(OSError):
        for number in range(1_000_000):
            handler.wfile.write(b"x-%d: %s\r\n" % (number, b"y" * 1000))


def test_bytes_are_counted_as_they_come_whatever_the_server_says() -> None:
    acts: dict[str, Act] = {
        "/endless": endless,
        "/chunks": endless_chunks,
        "/headers": endless_headers,
        "/said": Reply(PNG, headers={"Content-Length": "999999999"}),
        "/said-absurdly": Reply(PNG, headers={"Content-Length": "9" * 5000}),
        "/short": Reply(PNG, headers={"Content-Length": str(len(PNG) + 5), "Connection": "close"}),
        "/fits": Reply(PNG + bytes(100_000 - len(PNG))),
    }
    with shop(acts, MediaLimits(max_picture_bytes=100_000, max_video_bytes=100_000)) as (host, downloader, _):
        for path in ("/endless", "/chunks", "/said"):
            assert failure(downloader, host.url(path, HOST)).reason == "too large", path
        assert failure(downloader, host.url("/said-absurdly", HOST)).reason in ("too large", "broken answer")
        assert failure(downloader, host.url("/headers", HOST)).reason == "broken answer"
        cut = failure(downloader, host.url("/short", HOST))
        assert cut.reason == "broken answer" and cut.retryable
        assert downloader.read(host.url("/fits", HOST))[1].size == 100_000


def drip(after: bytes) -> Act:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(after)
        with contextlib.suppress(OSError):
            for _ in range(600):
                handler.wfile.write(b"a")
                handler.wfile.flush()
                time.sleep(0.05)

    return act


@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n" + PNG],
    ids=["status line", "headers", "body"],
)
def test_a_host_that_drips_runs_out_of_time(before: bytes) -> None:
    with shop({"/a.png": drip(before)}, seconds=0.4, timeout=10) as (host, downloader, _):
        begun = time.monotonic()
        error = failure(downloader, host.url("/a.png", HOST))
        assert error.reason == "timeout" and error.retryable
        assert time.monotonic() - begun < 5


def test_redirects_and_silence_and_slow_names_share_the_time() -> None:
    def slow(handler: BaseHTTPRequestHandler) -> Reply:
        time.sleep(0.15)
        return Reply(status=302, headers={"Location": handler.path + "0"})

    with shop({"/" + "0" * n: slow for n in range(9)}, seconds=0.4) as (host, downloader, _):
        assert failure(downloader, host.url("/", HOST)).reason == "timeout"
    with shop({"/a": lambda handler: time.sleep(1)}, timeout=0.1) as (host, downloader, _):
        assert failure(downloader, host.url("/a", HOST)).reason == "timeout"

    def asleep(host: str) -> list[str]:
        time.sleep(0.5)
        return ["93.184.215.14"]

    with Downloader(DownloaderConfig(seconds=0.1), resolve=asleep) as downloader:
        assert failure(downloader, "http://shop.example/").reason == "timeout"


def test_a_packed_body_is_refused_unopened() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    asked: list[str | None] = []

    def honest(handler: BaseHTTPRequestHandler) -> Reply:
        asked.append(handler.headers.get("Accept-Encoding"))
        return Reply(PNG, headers={"Content-Encoding": "identity"})

    acts: dict[str, Act] = {
        "/gzip": Reply(bomb, headers={"Content-Encoding": "gzip"}),
        "/twice": Reply(bomb, headers={"Content-Encoding": "gzip, br"}),
        "/transfer": Reply(bomb, headers={"Transfer-Encoding": "gzip, chunked"}),
        "/unsaid": Reply(bomb),
        "/honest": honest,
    }
    with shop(acts) as (host, downloader, _):
        assert failure(downloader, host.url("/gzip", HOST)).reason == "packed"
        assert failure(downloader, host.url("/twice", HOST)).reason == "packed"
        assert failure(downloader, host.url("/transfer", HOST)).reason == "broken answer"
        assert failure(downloader, host.url("/unsaid", HOST)).reason == "no media"
        assert downloader.read(host.url("/honest", HOST))[0] == PNG and asked == ["identity"]


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_what_comes_is_judged_by_its_bytes(tmp_path: Path) -> None:
    mp4 = b"\0\0\0\x20ftypisom" + bytes(300)
    acts: dict[str, Act] = {
        "/page.jpg": Reply(b"<html>" + b"x" * 500, headers={"Content-Type": "image/jpeg"}),
        "/svg.png": Reply(b"<svg xmlns='http://www.w3.org/2000/svg'/>", headers={"Content-Type": "image/png"}),
        "/empty.jpg": Reply(b"", headers={"Content-Type": "image/jpeg"}),
        "/film.jpg": Reply(mp4, headers={"Content-Type": "image/jpeg"}),
        "/octets": Reply(PNG, headers={"Content-Type": "application/octet-stream"}),
        "/huge.png": Reply(png_claiming(30_000, 30_000)),
        "/large.png": Reply(png_claiming(9_000, 9_000)),
        "/half.jpg": Reply(b"\xff\xd8\xff\xe0" + bytes(100)),
        "/phone.heic": Reply(b"\0\0\0\x18ftypheic" + bytes(300)),
        "/program": Reply(b"\x7fELF" + bytes(300), headers={"Content-Type": "image/png"}),
        "/a.gif": Reply(picture("GIF")),
    }
    with shop(acts) as (host, downloader, _):

        def reason(path: str, **more: object) -> str:
            return failure(downloader, host.url(path, HOST), **more).reason

        assert reason("/page.jpg") == reason("/svg.png") == reason("/program") == "no media"
        assert reason("/empty.jpg") == "empty"
        assert reason("/film.jpg") == "other media" and reason("/octets", kinds=["sound"]) == "other media"
        assert reason("/huge.png") == reason("/large.png") == reason("/half.jpg") == "bad picture"
        assert reason("/phone.heic") == "bad picture"
        assert downloader.read(host.url("/octets", HOST))[1].form == "PNG"
        assert downloader.read(host.url("/film.jpg", HOST), kinds=["video"])[1].form == "MP4"
        assert downloader.read(host.url("/a.gif", HOST), kinds=["video"])[1].form == "GIF"
        with pytest.raises(FetchError):
            downloader.fetch(host.url("/page.jpg", HOST), tmp_path / "x" / "a")
        assert not list((tmp_path / "x").iterdir())


def test_statuses_say_whether_to_try_again() -> None:
    acts: dict[str, Act] = {f"/{status}": Reply(b"x", status) for status in (204, 206, 304, 403, 404, 410, 500, 503)}
    acts["/429"] = Reply(b"", 429, {"Retry-After": "7"})
    with shop(acts) as (host, downloader, _):
        found = {path: failure(downloader, host.url(path, HOST)) for path in acts}
    assert {path: error.reason for path, error in found.items()} == {path: f"HTTP {path[1:]}" for path in acts}
    assert {path for path, error in found.items() if error.retryable} == {"/429", "/500", "/503"}
    assert found["/429"].wait == 7 and found["/503"].wait is None


def test_retry_after_is_seconds_or_a_moment() -> None:
    assert retry_after("120") == 120 and retry_after(None) is None and retry_after("soon") is None
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (retry_after("Wed, 21 Oct 2199 07:28:00 GMT") or 0) > 1e9


def test_what_is_unchanged_is_not_brought_again(tmp_path: Path) -> None:
    def act(handler: BaseHTTPRequestHandler) -> Reply:
        same = handler.headers.get("If-None-Match") == '"1"' or handler.headers.get("If-Modified-Since") == "then"
        return Reply(status=304) if same else Reply(PNG, headers={"ETag": '"1"', "Last-Modified": "then"})

    with shop({"/a.png": act}) as (host, downloader, _):
        url, target = host.url("/a.png", HOST), tmp_path / "a"
        first = downloader.fetch(url, target)
        assert first is not None and first.validators == Validators('"1"', "then")
        assert downloader.fetch(url, target, before=first.validators) is None
        assert downloader.fetch(url, target, before=Validators(None, "then")) is None
        assert target.read_bytes() == PNG and list(tmp_path.iterdir()) == [target]
        assert downloader.fetch(url, target, before=Validators('"2"', None)) is not None


def test_many_threads_share_one_downloader(tmp_path: Path) -> None:
    acts: dict[str, Act] = {f"/{side}": Reply(picture(side=side)) for side in range(1, 41)}
    with shop(acts) as (host, downloader, names), ThreadPoolExecutor(8) as pool:
        fetched = list(pool.map(lambda side: downloader.read(host.url(f"/{side}", HOST))[0], range(1, 41)))
        assert fetched == [picture(side=side) for side in range(1, 41)]
        assert len(names.asked) <= 8


def test_a_disk_without_room_leaves_nothing(tmp_path: Path) -> None:
    with shop({"/a.png": Reply(PNG)}) as (host, downloader, _):
        target = tmp_path / "a"
        target.mkdir()
        with pytest.raises(OSError, match="directory"):
            downloader.fetch(host.url("/a.png", HOST), target)
        assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("entry", ["shop.example", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"])
def test_hosts_and_networks_can_be_allowed(entry: str) -> None:
    assert DownloaderConfig(allow_hosts=(entry,)).allow_hosts == (entry,)


@pytest.mark.parametrize("entry", ["", "http://shop.example", "10.0.0.1/8", "127.1", "*.example", "0x7f000001"])
def test_what_is_no_host_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(ConfigError, match="is no host"):
        DownloaderConfig(allow_hosts=(entry,))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate by openssl, which is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        ["openssl", *kind, "-keyout", path, "-out", f"{path}.crt", *subject], check=True, capture_output=True
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_tls_verifies_the_name_and_not_the_address(certificate: Path) -> None:
    acts: dict[str, Act] = {
        "/a.png": Reply(PNG),
        "/down": Reply(status=302, headers={"Location": "http://shop.example:443/"}),
    }
    with ScriptedHost(acts, certificate=certificate) as host:
        names = Names(shop_example=["127.0.0.1"], other_example=["127.0.0.1"])
        config = DownloaderConfig(allow_hosts=("127.0.0.1",), ports=(host.port, 443))
        trusting = ssl.create_default_context(cafile=certificate)
        with Downloader(config, resolve=names, ssl_context=trusting) as downloader:
            assert downloader.read(host.url("/a.png", HOST))[0] == PNG
            error = failure(downloader, host.url("/a.png", "other.example"))
            assert error.reason == "unreachable" and "CERTIFICATE_VERIFY_FAILED" in str(error)
            assert "not https" in str(failure(downloader, host.url("/down", HOST)))
        with Downloader(config, resolve=names) as downloader:
            assert "CERTIFICATE_VERIFY_FAILED" in str(failure(downloader, host.url("/a.png", HOST)))


def test_the_error_survives_another_process() -> None:
    error = FetchError("gone", reason="HTTP 404", wait=3)
    again = copy.copy(error)  # made as a process that receives it makes it
    assert (str(again), again.reason, again.wait) == ("gone", "HTTP 404", 3)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (picture("JPEG"), ("image", "JPEG")),
        (picture("WEBP"), ("image", "WEBP")),
        (picture("BMP"), ("image", "BMP")),
        (picture("TIFF"), ("image", "TIFF")),
        (picture("AVIF"), ("image", "AVIF")),
        (b"RIFF\0\0\0\0WAVEfmt ", ("sound", "WAV")),
        (b"ID3\x04" + bytes(20), ("sound", "MP3")),
        (b"\xff\xfb\x90\x00", ("sound", "MP3")),
        (b"fLaC\0\0", ("sound", "FLAC")),
        (b"OggS" + bytes(24) + b"OpusHead", ("sound", "Ogg")),
        (b"\0\0\0\x1cftypM4A ", ("sound", "M4A")),
        (b"\x1aE\xdf\xa3", ("video", "Matroska")),
        (b"(\xb5/\xfd", None),
        (b"PK\x03\x04", None),
        (b"%PDF-1.7", None),
    ],
)
def test_forms_are_told_by_their_first_bytes(head: bytes, found: tuple[str, str] | None) -> None:
    seen = sniff(head[:192])
    assert (seen and (seen.kind, seen.form)) == found


def test_no_password_stands_in_an_error() -> None:
    """Those of the URL, of a redirect, and the keys of signed URLs, whatever went wrong."""
    secret = "SECRETPW"
    with shop({}) as (host, downloader, _):
        host.acts["/go"] = Reply(status=302, headers={"Location": f"http://bob:{secret}@{HOST}/x"})
        host.acts["/on"] = Reply(status=302, headers={"Location": f"ftp://shop.example/x?token={secret}"})
        host.acts[f"/w?sig={secret}&w=80"] = Reply(b"words, no picture at all")
        for path in ("/go", "/on", f"/w?sig={secret}&w=80", f"/none?X-Amz-Signature={secret}&w=80"):
            said = str(failure(downloader, host.url(path, HOST)))
            assert secret not in said and HOST in said
            assert "w=80" in said or "w=80" not in path
        for url in (
            f"http://al:{secret}@{HOST}/1.jpg",
            f"http://al:{secret * 60}@{HOST}/1.jpg",
            f"ftp://x:{secret}@h/",
        ):
            assert secret not in str(failure(downloader, url))


def test_a_redirect_without_a_place_is_asked_once() -> None:
    with shop({"/go": Reply(status=302)}) as (host, downloader, _):
        error = failure(downloader, host.url("/go", HOST))
        assert "a redirect that names no place" in str(error) and not error.retryable
        assert host.asked == ["/go"]
