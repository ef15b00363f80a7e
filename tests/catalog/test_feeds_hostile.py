"""Feeds that mean harm, or are broken: one line says so, and neither memory nor files of this machine are touched."""

from __future__ import annotations

import codecs
import gzip
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from catalog.errors import DataError
from catalog.readers.feed_bytes import open_lines
from catalog.readers.feed_values import as_money
from catalog.readers.feeds import FeedConfig, read_feed
from catalog.readers.html_text import as_plain
from catalog.readers.rejects import Rejects
from catalog.readers.spool import Spool
from catalog.readers.values import BadValue

ITEM = "<item><g:id>{id}</g:id><g:title>{title}</g:title></item>"
HEAD = "<rss xmlns:g='http://base.google.com/ns/1.0'><channel>"
TAIL = "</channel></rss>"

LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY l0 'ha'>"
    + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    + f"]>{HEAD}{ITEM.format(id='1', title='&l11;')}{TAIL}"
)


def write(folder: Path, text: str | bytes, name: str = "feed.xml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, **config: object) -> str:
    with pytest.raises(DataError) as caught:
        read_feed([path], FeedConfig(**config))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_entities_are_never_expanded_and_files_never_opened(tmp_path: Path) -> None:
    secret = write(tmp_path, "the secret", "secret.txt")
    external = f"<!DOCTYPE rss [<!ENTITY x SYSTEM '{secret.as_uri()}'>]>{HEAD}{ITEM.format(id='1', title='&x;')}{TAIL}"
    outside = f"<!DOCTYPE rss SYSTEM '{secret.as_uri()}'>{HEAD}{ITEM.format(id='1', title='x')}{TAIL}"
    for text in (LAUGHS, external, outside):
        said = refused(write(tmp_path, text))
        assert "document type" in said and "line 1" in said and "secret'" not in said
    assert "undefined entity" in refused(write(tmp_path, HEAD + ITEM.format(id="1", title="&nbsp;") + TAIL))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + ITEM.format(id="1", title="a & b") + TAIL, "line 1: not well-formed"),
        (HEAD + ITEM.format(id="1", title="a\0b") + TAIL, "line 1: not well-formed"),
        (HEAD + "\n" + ITEM.format(id="1", title="cut")[:-9], "line 2: not well-formed"),
        ("<a>" * 40, "beyond 32 levels"),
        (HEAD + "<item " + "x" * 9_000_000, "a tag of more than"),
        ("<?xml version='1.0' encoding='klingon'?>" + HEAD + TAIL, "klingon|unknown encoding"),
    ],
)
def test_broken_xml_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    import re

    assert re.search(said, refused(write(tmp_path, text)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04" + bytes(40), "is a ZIP archive or a spreadsheet"),
        (gzip.compress(gzip.compress(b"id,title\n1,a\n")), "is packed twice"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "is no text"),
        ("id,title,image_link\n1,a,\n".encode("utf-16-le"), r"is no text that can be read: its header is 'i\x00d\x00"),
    ],
)
def test_what_is_no_feed_at_all_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    line = refused(write(tmp_path, data, "feed.csv"))
    assert said in line and "CSV, JSON lines, Parquet) would be valid" in line


def test_an_id_is_a_text_or_a_number(tmp_path: Path) -> None:
    ids = ("1", '"01"', "2.0", "true", "[1]", '{"a": 1}', "null")
    rejects = Rejects()
    path = write(tmp_path, "".join(f'{{"id": {each}, "title": "t"}}\n' for each in ids), "feed.jsonl")
    assert read_feed([path], rejects=rejects).items["item_id"].to_list() == ["1", "01", "2"]
    assert rejects.counts == {"bad item id": 3, "missing item id": 1}
    assert (
        "3 bad item id (first: feed.jsonl line 4: item id True; a text or a number would be valid)" in rejects.summary()
    )


def test_an_encoding_without_a_mark_is_read_where_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "id,title,image_link\n1,a,\n".encode("utf-16-le"), "feed.csv")
    assert read_feed([path], FeedConfig(encoding="utf-16-le")).items["title"].to_list() == ["a"]


def test_an_item_without_measure_is_rejected_and_the_next_one_is_read(tmp_path: Path) -> None:
    big = [
        ITEM.format(id="long", title="x" * 300_000),
        "<item><g:id>many</g:id>" + "<g:color>a</g:color>" * 3_000 + "</item>",
        "<item><g:id>deep</g:id><g:detail>" + "<g:a>b</g:a>" * 3_000 + "</g:detail></item>",
        "<item><g:id>sum</g:id>" + f"<g:color>{'x' * 200_000}</g:color>" * 9 + "</item>",
    ]
    rejects = Rejects()
    text = HEAD + "\n".join([*big, ITEM.format(id="fine", title="ok")]) + TAIL
    feed = read_feed([write(tmp_path, text)], rejects=rejects)
    assert feed.items["item_id"].to_list() == ["deep", "fine"]
    assert [(each.line, each.reason) for each in rejects] == [(n, "malformed row") for n in (1, 2, 4)]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16"])
def test_an_xml_feed_says_its_own_encoding(encoding: str, tmp_path: Path) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>{HEAD}{ITEM.format(id='1', title='Größe')}{TAIL}"
    assert read_feed([write(tmp_path, text.encode(encoding))]).items["title"].to_list() == ["Größe"]


def test_a_million_columns_are_refused_at_once(tmp_path: Path) -> None:
    header = ",".join(["id", "image_link", *(f"c{n}" for n in range(1_000_000))])
    assert "1,000,002 columns; up to 2,000" in refused(write(tmp_path, header + "\n1,2\n", "f.csv"))


def test_bytes_in_another_encoding_and_nuls_are_rejected_row_by_row(tmp_path: Path) -> None:
    rows = b"id\ttitle\timage_link\n1\tGr\xf6\xdfe\t\n2\tnul\0\t\n3\tfine\t\n"
    rejects = Rejects()
    feed = read_feed([write(tmp_path, rows, "f.tsv")], rejects=rejects)
    assert feed.items["item_id"].to_list() == ["3"]
    assert [(each.line, each.reason) for each in rejects] == [(2, "not UTF-8"), (3, "malformed row")]
    assert read_feed([tmp_path / "f.tsv"], FeedConfig(encoding="cp1252")).items["title"].to_list() == ["Größe", "fine"]


def test_utf_16_that_breaks_off_is_one_line(tmp_path: Path) -> None:
    text = codecs.BOM_UTF16_LE + "id\timage_link\n1\tx\n".encode("utf-16-le") + b"\x00\xd8x"
    assert "cannot be read" in refused(write(tmp_path, text, "f.tsv"))


def test_a_quote_that_never_ends_costs_its_own_row(tmp_path: Path) -> None:
    rows = 'id\ttitle\timage_link\n1\t"open\t\n' + "".join(f"{n}\tfine\t\n" for n in range(2, 6))
    rejects = Rejects()
    assert read_feed([write(tmp_path, rows, "f.tsv")], rejects=rejects).items["item_id"].to_list() == list("2345")
    assert [each.line for each in rejects] == [2]


def test_a_gzip_that_unpacks_to_more_than_the_cap_or_is_cut_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"id,image_link\n" + (b"1," + b"x" * 999 + b"\n") * 20_000)
    assert "unpacks to more than 1,000,000 bytes" in refused(write(tmp_path, bomb, "f.csv"), max_unpacked_bytes=10**6)
    cut = gzip.compress(b"id,image_link\n1,x\n")[:-6]
    assert "cannot be read" in refused(write(tmp_path, cut, "g.csv.gz"))


def test_a_line_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, b"x" * 40_000_000, "f.csv")
    tracemalloc.start()
    try:
        with open_lines(path, 10**9, None) as lines, pytest.raises(DataError, match="line 1: longer than"):
            next(lines)
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(60)
def test_values_that_patterns_would_choke_on_cost_no_more_than_their_length() -> None:
    n = 60_000
    for text in ("<!--", "<a ", "<![CDATA[", "</", '<a href="', "<a '>", "<svg>", "&", "&#1", "<p>", "<script></scr"):
        as_plain("<b>x</b>" + text * n)
    for blanks in (" " * n, "EUR" + " " * n + "x", "1 " * n + "x"):
        with pytest.raises(BadValue):
            as_money(blanks, "price")


@pytest.mark.timeout(60)
def test_a_row_that_patterns_would_choke_on(tmp_path: Path) -> None:
    row = ["1", ", " * 60_000 + "x", ",a:" * 40_000, '"' + '""' * 60_000 + '"']
    path = write(tmp_path, "id\tadditional_image_link\tproduct_detail\ttitle\n" + "\t".join(row) + "\n", "f.tsv")
    assert read_feed([path]).items["item_id"].to_list() == ["1"]


def test_a_feed_from_afar_names_no_file_of_this_machine(tmp_path: Path) -> None:
    own = write(tmp_path, b"\xff\xd8\xff picture", "own.jpg")
    text = f"id\timage_link\n1\t{own}\n2\town.jpg\n3\tfile://{own}\n4\thttps://i.example/1.jpg\n"
    path = write(tmp_path, text, "f.tsv")
    assert read_feed([path]).items["images"].to_list()[:2] == [[str(own)], [str(own)]]
    feed = read_feed([path], remote=True)
    assert feed.items["images"].to_list() == [[], [], [], ["https://i.example/1.jpg"]]
    assert feed.missing == {"1": 1, "2": 1, "3": 1}


def many(path: Path, rows: int, form: str) -> Path:
    with path.open("w") as file:
        if form == "xml":
            file.write(HEAD)
            file.writelines(ITEM.format(id=n, title=f"Hat {n} " + "warm " * 40) + "\n" for n in range(rows))
            file.write(TAIL)
        elif form == "shopify":
            file.write("Handle,Title,Option1 Name,Option1 Value,Variant Price\n")
            file.writelines(f"h{n},Hat {'warm ' * 40},Size,M,1\nh{n},,,L,2\n" for n in range(rows // 2))
        else:
            file.write("id\ttitle\timage_link\n")
            file.writelines(f"{n}\tHat {n} {'warm ' * 40}\thttps://i.example/{n}.jpg\n" for n in range(rows))
    return path


class Stopped(Exception):
    """Parsing is over."""


@pytest.mark.parametrize("form", ["xml", "tsv", "shopify"])
def test_the_peak_of_parsing_does_not_grow_with_the_feed(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peaks = {}

    def stop(spool: Spool, rejects: Rejects) -> None:
        peaks[len(spool)] = tracemalloc.get_traced_memory()[1]
        raise Stopped

    monkeypatch.setattr("catalog.readers.feeds._once", stop)
    for rows in (200, 2_200, 8_800):  # the first run only warms caches
        path = many(tmp_path / f"{rows}.{form}", rows, form)
        tracemalloc.start()
        try:
            with pytest.raises(Stopped):
                read_feed([path])
        finally:
            tracemalloc.stop()
    assert peaks[8_800] < 1.3 * peaks[2_200], peaks


PROGRAM = """
import sys
from pathlib import Path
from catalog.readers.feeds import read_feed
feed = read_feed([Path(sys.argv[1])])
held = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(feed.items.height, int(held) // 1024)
"""
"""`ru_maxrss` would count what the parent held before this began."""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["xml", "tsv", "shopify"])
def test_a_hundred_thousand_rows_fit_in_a_few_hundred_megabytes(form: str, tmp_path: Path) -> None:
    path = many(tmp_path / f"feed.{form}", 100_000, form)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True)
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 100_000 and megabytes < 450, done.stdout
