"""Fetching against a server on the loopback that does what servers do: cut, forget, change, refuse."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import threading
import zipfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catalog.errors import ConfigError, DataError, ServiceError
from catalog.fetching import download as downloading
from catalog.fetching.archive import unpack
from catalog.fetching.download import DownloadConfig, download
from catalog.fetching.fetch import fetch, plan
from catalog.fetching.ledger import LEDGER_FILE
from catalog.fetching.sources import Checksum, Licence, RemoteFile, Source, find_source, sources

BODY = bytes(range(256)) * 1200  # 300 KiB: several chunks
Answer = Callable[[BaseHTTPRequestHandler], None]


class Quiet(ThreadingHTTPServer):
    """A client that hangs up is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Shelf:
    """A server and what it was asked; `answers` are used up in order, the last stays."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shelf.asked.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                answer = shelf.answers.pop(0) if len(shelf.answers) > 1 else shelf.answers[0]
                answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    yield made
    made.server.shutdown()
    made.server.server_close()


def serve(
    body: bytes = BODY, *, etag: str | None = '"one"', cut: int | None = None, ranges: bool = True,
    if_range: bool = True, modified: str | None = None,
) -> Answer:  # fmt: skip
    """Answer like an honest server, but for what the arguments take away."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        same = not if_range or handler.headers.get("If-Range") in (None, etag, modified)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and ranges and same else 0
        if start >= len(body) and asked:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if etag:
            handler.send_header("ETag", etag)
        if modified:
            handler.send_header("Last-Modified", modified)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        end = len(body) if cut is None else start + cut
        handler.wfile.write(body[start:end])
        if cut is not None and end < len(body):
            handler.close_connection = True

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def bring(shelf: Shelf, folder: Path, *, attempts: int = 3) -> list[float]:
    """Download one file; return the waits between attempts."""
    waits: list[float] = []
    download(f"{shelf.url}/f", folder / "f", config=DownloadConfig(attempts=attempts), sleep=waits.append)
    return waits


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve()]
    assert bring(shelf, tmp_path) == []
    assert (tmp_path / "f").read_bytes() == BODY and names(tmp_path) == ["f"]
    assert shelf.asked[0]["accept-encoding"] == "identity" and "range" not in shelf.asked[0]


@pytest.mark.parametrize("modified", [None, "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_cut_connection_goes_on_where_it_broke_off(shelf: Shelf, tmp_path: Path, modified: str | None) -> None:
    etag = '"one"' if modified is None else None
    shelf.answers = [serve(cut=100_000, etag=etag, modified=modified), serve(cut=1_000, etag=etag, modified=modified),
                     serve(etag=etag, modified=modified)]  # fmt: skip
    bring(shelf, tmp_path)
    assert (tmp_path / "f").read_bytes() == BODY
    assert [asked.get("range") for asked in shelf.asked] == [None, "bytes=100000-", "bytes=101000-"]
    assert {asked["if-range"] for asked in shelf.asked[1:]} == {etag or modified}


def test_a_killed_run_is_resumed_by_the_next(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(cut=70_000), status(503)]
    with pytest.raises(ServiceError, match=r"3 attempts failed, the last: .* 503; 70,000 bytes are kept"):
        bring(shelf, tmp_path)
    assert names(tmp_path) == [".f.part", ".f.part.json"]
    shelf.answers = [serve()]
    bring(shelf, tmp_path)
    assert shelf.asked[-1]["range"] == "bytes=70000-" and (tmp_path / "f").read_bytes() == BODY
    assert names(tmp_path) == ["f"]


def test_a_server_that_ignores_ranges_sends_all_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(cut=100_000), serve(ranges=False)]
    bring(shelf, tmp_path)
    assert (tmp_path / "f").read_bytes() == BODY


@pytest.mark.parametrize("if_range", [True, False], ids=["knows If-Range", "does not"])
def test_a_file_that_changes_midway_begins_again(shelf: Shelf, tmp_path: Path, if_range: bool) -> None:
    fresh = BODY[::-1]
    shelf.answers = [serve(cut=100_000), serve(fresh, etag='"two"', if_range=if_range)]
    bring(shelf, tmp_path)
    assert (tmp_path / "f").read_bytes() == fresh


def test_a_file_that_shrinks_midway_begins_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(cut=100_000), serve(b"short", if_range=False), serve(b"short", etag='"two"')]
    bring(shelf, tmp_path)
    assert (tmp_path / "f").read_bytes() == b"short"


def test_without_a_validator_nothing_is_glued_together(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(cut=100_000, etag=None), serve(etag='W/"weak"', cut=5), serve(etag=None)]
    bring(shelf, tmp_path)
    assert all("range" not in asked for asked in shelf.asked) and (tmp_path / "f").read_bytes() == BODY


def test_a_part_that_was_whole_already_is_taken(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / ".f.part").write_bytes(BODY)
    (tmp_path / ".f.part.json").write_text(json.dumps({"url": f"{shelf.url}/f", "validator": '"one"'}))
    shelf.answers = [serve()]
    bring(shelf, tmp_path)
    assert shelf.asked[0]["range"] == f"bytes={len(BODY)}-" and (tmp_path / "f").read_bytes() == BODY


def test_every_failed_attempt_is_told_and_nothing_half_made_is_left(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [status(503)]
    told: list[str] = []
    with pytest.raises(ServiceError, match="3 attempts failed, the last: the server answers 503; nothing came"):
        download(
            f"{shelf.url}/f", tmp_path / "f", config=DownloadConfig(attempts=3), sleep=lambda _: None, tell=told.append
        )
    assert told == [
        f"{shelf.url}/f: attempt 1 of 3: the server answers 503; again in 1 s",
        f"{shelf.url}/f: attempt 2 of 3: the server answers 503; again in 2 s",
    ]
    assert not list(tmp_path.iterdir())


def test_a_plan_says_sizes_where_they_are_known(tmp_path: Path) -> None:
    (lens,) = plan(find_source("movielens/ml-1m"), tmp_path)
    assert lens.text().endswith("ml-1m.zip, about 6 MB")
    (tmp_path / ".ml-1m.zip.part").write_bytes(b"12345")
    assert lens.text().endswith("about 6 MB, 5 bytes of it here")
    (tmp_path / "ml-1m.zip").write_bytes(b"123")
    assert plan(find_source("movielens/ml-1m"), tmp_path)[0].text().endswith("ml-1m.zip: here already, 3 bytes")
    assert "size unknown" in plan(find_source("amazon-2014/Baby"), tmp_path)[0].text()


def test_attempts_wait_longer_each_time_and_as_long_as_the_server_asks(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [status(503), status(429, Retry_After="7"), status(500), status(502, Retry_After="999"), serve()]
    assert bring(shelf, tmp_path, attempts=5) == [1.0, 7.0, 4.0, 60.0]


def test_a_refusal_is_not_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    for code in (404, 403, 410):
        shelf.answers = [status(code)]
        with pytest.raises(ServiceError, match=f"the server answers {code}"):
            bring(shelf, tmp_path)
    assert len(shelf.asked) == 3 and names(tmp_path) == []


def test_redirects_are_followed_and_not_for_ever(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [status(302, Location="/elsewhere"), serve()]
    bring(shelf, tmp_path)
    assert (tmp_path / "f").read_bytes() == BODY and shelf.asked[1]["path"] == "/elsewhere"
    shelf.answers = [status(302, Location="/round")]
    with pytest.raises(ServiceError, match="redirect"):
        download(f"{shelf.url}/f", tmp_path / "g", config=DownloadConfig(attempts=2), sleep=lambda _: None)


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"127.0.0.1:9/f: 2 attempts failed") as caught:
        download("http://127.0.0.1:9/f", tmp_path / "f", config=DownloadConfig(attempts=2), sleep=lambda _: None)
    assert caught.value.retryable


def test_a_full_disk_is_known_before_it_is_full(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 1000, 1000))
    shelf.answers = [serve()]
    with pytest.raises(DataError, match=r"has 1,000 bytes free, and 307,200 are still to come"):
        bring(shelf, tmp_path)


TERMS = Licence("Test terms", "Be kind.", "https://terms.example/")


def source(shelf: Shelf, *files: RemoteFile, by_hand: str | None = None) -> Source:
    files = files or (RemoteFile("a/f.bin", "f.bin"),)
    return Source("test/one", "a test", TERMS, shelf.url, files, "read {folder}", by_hand)


def test_terms_are_accepted_once_a_folder(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve()]
    with pytest.raises(ConfigError, match=r"terms of 'test/one' \(Test terms: https://terms.example/\) are not"):
        fetch(source(shelf), tmp_path / "d")
    assert shelf.asked == [] and not (tmp_path / "d").exists()
    lines = fetch(source(shelf), tmp_path / "d", accept_licence=True)
    assert lines == [f"{tmp_path / 'd' / 'f.bin'}: 307,200 bytes, checksum recorded"]
    said = json.loads((tmp_path / "d" / LEDGER_FILE).read_text())
    assert said["files"]["f.bin"]["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert said["files"]["f.bin"]["url"] == f"{shelf.url}/a/f.bin" and "Test terms" in said["accepted"]
    assert "here already" in fetch(source(shelf), tmp_path / "d")[0] and len(shelf.asked) == 1


def test_a_wrong_checksum_leaves_nothing_behind(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve()]
    right = Checksum("md5", hashlib.new("md5", BODY, usedforsecurity=False).hexdigest())
    with pytest.raises(DataError, match=r"md5 [0-9a-f]{32}, where the publisher gives 00"):
        fetch(source(shelf, RemoteFile("f", "f.bin", Checksum("md5", "00"))), tmp_path, accept_licence=True)
    assert names(tmp_path) == [LEDGER_FILE]
    assert fetch(source(shelf, RemoteFile("f", "f.bin", right)), tmp_path)[0].endswith("checksum checked")


def test_another_file_than_the_first_time_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve()]
    fetch(source(shelf), tmp_path, accept_licence=True)
    (tmp_path / "f.bin").unlink()
    shelf.answers = [serve(BODY[1:])]
    with pytest.raises(DataError, match=r"where fetched.json has"):
        fetch(source(shelf), tmp_path)
    (tmp_path / "f.bin").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"where fetched.json has .* the server sent another file"):
        fetch(source(shelf), tmp_path)
    assert (tmp_path / "f.bin").read_bytes() == b"damaged"
    (tmp_path / LEDGER_FILE).write_text("{")
    with pytest.raises(DataError, match="is damaged: remove it"):
        fetch(source(shelf), tmp_path)


def test_what_a_program_may_not_fetch_is_said_exactly(shelf: Shelf, tmp_path: Path) -> None:
    by_hand = source(shelf, by_hand="open https://drive.example/ and put the files")
    with pytest.raises(ConfigError, match=r"cannot be fetched by a program: open https://drive.* .*f.bin.*read "):
        fetch(by_hand, tmp_path, accept_licence=True)
    (tmp_path / "f.bin").write_bytes(b"by hand")
    assert "here already" in fetch(by_hand, tmp_path, accept_licence=True)[0]
    assert json.loads((tmp_path / LEDGER_FILE).read_text())["files"]["f.bin"]["url"] == "found here"
    (tmp_path / "f.bin").write_bytes(b"by han")
    with pytest.raises(
        DataError, match=r"f.bin', the file here, is not .*fetched.json has .*; open https://drive.* again"
    ):
        fetch(by_hand, tmp_path)


def archive_of(members: dict[str, bytes], link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, body in members.items():
            opened.writestr(name, body)
        if link is not None:
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            opened.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def zipped(shelf: Shelf, folder: Path, told: list[str] | None = None) -> list[str]:
    """Fetch `ml.zip` and unpack it; return what is said."""
    ml = source(shelf, RemoteFile("ml.zip", "ml.zip", unpack=True))
    return fetch(ml, folder, accept_licence=True, tell=(told if told is not None else []).append)


WHOLE = archive_of({"ml/ratings.csv": b"rating " * 99, "ml/deep/x": b"y"})


def test_an_archive_is_unpacked(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(WHOLE)]
    lines = zipped(shelf, tmp_path)
    assert (tmp_path / "ml" / "deep" / "x").read_bytes() == b"y" and lines[1].endswith("ml: unpacked")
    assert zipped(shelf, tmp_path)[1].endswith("ml: here already, as in the archive")


def test_an_unpacked_file_that_is_damaged_is_unpacked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(WHOLE)]
    zipped(shelf, tmp_path)
    ratings = tmp_path / "ml" / "ratings.csv"
    for damage in (b"rating", b"ratinG " * 99):  # another size; the same size
        ratings.write_bytes(damage)
        (tmp_path / "ml" / "deep" / "x").unlink()
        (tmp_path / "ml" / "mine.txt").write_text("my notes")
        assert "unpacked again, not as in the archive: ratings.csv, deep/x" in zipped(shelf, tmp_path)[1]
        assert ratings.read_bytes() == b"rating " * 99 and (tmp_path / "ml" / "deep" / "x").read_bytes() == b"y"
        assert (tmp_path / "ml" / ".ratings.csv.set-aside").read_bytes() == damage
        assert (tmp_path / "ml" / "mine.txt").read_text() == "my notes"
    assert len(shelf.asked) == 1


@pytest.mark.parametrize("body", [b"<html>sorry</html>", b"", WHOLE[:-9], archive_of({"../x": b""})])
def test_what_is_no_archive_is_neither_kept_nor_recorded(shelf: Shelf, tmp_path: Path, body: bytes) -> None:
    shelf.answers = [serve(body)]
    with pytest.raises(DataError, match=r"'ml.zip' of http://.*as an archive it .*; the server sent another file"):
        zipped(shelf, tmp_path)
    assert names(tmp_path) == [LEDGER_FILE] and not json.loads((tmp_path / LEDGER_FILE).read_text())["files"]
    shelf.answers = [serve(WHOLE)]
    assert zipped(shelf, tmp_path)[1].endswith("ml: unpacked")


def test_a_damaged_member_is_found_before_the_archive_is_taken(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(WHOLE.replace(b"rating rating", b"rating ratinG", 1))]
    with pytest.raises(DataError, match=r"'ml/ratings.csv' is damaged"):
        zipped(shelf, tmp_path)
    assert names(tmp_path) == [LEDGER_FILE]


def test_a_local_archive_that_was_cut_is_fetched_again_and_set_aside(shelf: Shelf, tmp_path: Path) -> None:
    shelf.answers = [serve(WHOLE)]
    zipped(shelf, tmp_path)
    cut, told = WHOLE[:100], []
    (tmp_path / "ml.zip").write_bytes(cut)
    shelf.answers = [status(404)]
    with pytest.raises(ServiceError, match="404"):
        zipped(shelf, tmp_path)
    assert (tmp_path / "ml.zip").read_bytes() == cut  # nothing came, nothing went
    shelf.answers = [serve(WHOLE)]
    aside, came, unpacked = zipped(shelf, tmp_path, told)
    assert "ml.zip: the file here is not the one it should be: sha256 " in told[0] and "fetched again" in told[0]
    assert ".ml.zip.set-aside: what was here before" in aside and came.endswith("checksum checked")
    assert (tmp_path / ".ml.zip.set-aside").read_bytes() == cut and (tmp_path / "ml.zip").read_bytes() == WHOLE
    assert unpacked.endswith("as in the archive")


def test_a_junk_file_that_was_recorded_once_is_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "ml.zip").write_bytes(b"<html>")
    entry = {"url": "u", "sha256": hashlib.sha256(b"<html>").hexdigest(), "bytes": 6, "fetched_at": "2025"}
    (tmp_path / LEDGER_FILE).write_text(json.dumps({"files": {"ml.zip": entry}, "accepted": {}}))
    shelf.answers, told = [serve(WHOLE)], []
    assert zipped(shelf, tmp_path, told)[-1].endswith("ml: unpacked")
    assert "cannot be unpacked: File is not a zip file" in told[0]
    found = json.loads((tmp_path / LEDGER_FILE).read_text())["files"]["ml.zip"]
    assert found["sha256"] == hashlib.sha256(WHOLE).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        archive_of({"../out": b""}), archive_of({"/etc/x": b""}), archive_of({"a/../../x": b""}),
        archive_of({"x": b""}), archive_of({"a/x": b"", "b/x": b""}), archive_of({"a/x": b""}, link="a/link"),
        b"no zip", b"", archive_of({"a/x": b"1234567890" * 9})[:60],
    ],
    ids=["parent", "absolute", "inner parent", "no folder", "two folders", "link", "junk", "empty", "cut"],
)  # fmt: skip
def test_an_archive_that_is_not_to_be_trusted_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"archive '.*a.zip'"):
        unpack(tmp_path / "a.zip", tmp_path)
    assert names(tmp_path) == ["a.zip"] and not (tmp_path.parent / "out").exists()


def test_every_known_source_is_sound() -> None:
    for name, each in sources().items():
        assert (
            find_source(name) == each and each.base.startswith("https://") and each.licence.url.startswith("https://")
        )
        planned = plan(each, Path("data"))
        assert len({entry.target for entry in planned}) == len(planned) > 0
        assert each.then.startswith("vitrine import ") and "{folder}" in each.then
    urls = [entry.url for entry in plan(find_source("amazon-2023-5core/Baby_Products"), Path("data"))]
    assert urls[0] == (
        "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/benchmark/5core/last_out/Baby_Products.train.csv.gz"
    )
    with pytest.raises(ConfigError, match="Did you mean 'movielens/ml-1m'"):
        find_source("movielens/ml-1")
    with pytest.raises(ConfigError, match="is not http"):
        plan(find_source("movielens/ml-1m"), Path("data"), "file:///etc")
