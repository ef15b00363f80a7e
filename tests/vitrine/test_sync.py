"""`vitrine sync` and `vitrine import feed` through the console command, and what the batch jobs do after one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from batch.local import LocalEngine
from captioning.doubles import SlowCaptioner
from captioning.job import CaptionJobConfig, caption_catalog
from catalog.media.scripted_host import Reply, ScriptedHost
from catalog.readers.feeds import read_feed
from catalog.shop_data import load_shop
from catalog.sync import sync_feed
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.job import EmbedJobConfig, embed_catalog

HEADER = "id\ttitle\tprice\tavailability\timage_link\tcolor\n"
HATS = [f"{n}\tHat {n}\t{n}.50 EUR\tin_stock\t{n}.png\tred\n" for n in range(1, 9)]


def write(rows: list[str], path: str = "feed.tsv") -> Path:
    Path(path).write_text(HEADER + "".join(rows))
    return Path(path)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_life_of_a_feed(run):
    first = run("sync", write(HATS), "--store", "s")
    assert first.code == 0, first
    assert first.out.splitlines()[0] == (
        "feed: 8 added, 0 changed, 0 unchanged, 0 removed; 8 items, read as Google Merchant table"
    )
    assert first.out.splitlines()[-1].startswith("next: vitrine caption --store s, then vitrine embed --store s, then")
    assert first.out.endswith("they do only what changed\n")
    untaught = run("sync", write(HATS), "--store", "heads", "--set", "captions.captioner=catalogue").out
    assert "next: vitrine train clip --set captions.captioner=catalogue --store heads, then vitrine caption" in untaught
    with Workspace("heads").writing("encoders/catalogue", "k") as folder:
        (folder / "f").write_text("")
    taught = run("sync", write(HATS[:7]), "--store", "heads", "--set", "captions.captioner=catalogue").out
    assert "; but catalogue's heads learn anew, and every picture is captioned again by them\n" in taught
    assert "next:" not in run("sync", write(HATS), "--store", "s").out
    changed = [HATS[0].replace("1.50", "1.20"), *HATS[1:7]]
    planned = run("sync", write(changed), "--store", "s", "--dry-run")
    assert "0 added, 1 changed (price 1), 6 unchanged, 1 removed (marked as not available)" in planned.out
    assert planned.out.endswith("changed: '1'\nremoved: '8'\ndry run: nothing was written\n")
    assert load_shop(Workspace("s")).catalog["1"].price == 1.5
    done = run("sync", write(changed), "--store", "s")
    assert done.out.splitlines()[0] == planned.out.splitlines()[0]
    shop = load_shop(Workspace("s")).catalog
    assert (shop["1"].price, shop["8"].availability) == (1.2, False)
    line = run("sync", write(HATS[:2]), "--store", "s").line
    assert "5 of 7 items off offer (71%; at most 30%" in line and "--allow-removal" in line
    assert run("sync", write(HATS[:2]), "--store", "s", "--allow-removal", "--delete").code == 0
    assert len(load_shop(Workspace("s")).items) == 2


def test_refusals_are_one_line(run):
    assert "does not exist" in run("sync", "none.xml", "--store", "s").line
    write(HATS)  # in this folder, which an empty path would name
    assert "feed '' is empty" in run("sync", "", "--store", "s").line
    assert "currency" in run("sync", write(HATS), "--store", "s", "--currency", "euro").line
    Path("evil.xml").write_text("<!DOCTYPE a [<!ENTITY b 'c'>]><rss><channel/></rss>")
    assert "document type" in run("sync", "evil.xml", "--store", "s").line
    assert "loopback" in run("sync", "http://127.0.0.1/feed.xml", "--store", "s").line
    assert not Workspace("s").has("catalog")


def test_a_feed_by_url_is_read_once_while_it_is_the_same(run):
    body = (HEADER + "".join(HATS)).encode()

    def answer(handler):
        same = handler.headers.get("If-None-Match") == '"1"'
        return Reply(status=304) if same else Reply(body, headers={"ETag": '"1"'})

    with ScriptedHost({"/f.tsv": answer}) as host:
        allowed = ("--set", f'media={{"allow_hosts": ["127.0.0.1"], "ports": [{host.port}]}}', "--store", "s")
        first = run("sync", host.url("/f.tsv"), *allowed)
        assert first.code == 0 and "8 added" in first.out, first
        assert "8 pictures and videos lead nowhere" in first.out  # paths of another machine
        assert "not brought, the first: '1.png'; of a feed by URL only addresses lead anywhere" in first.out
        again = run("sync", host.url("/f.tsv"), *allowed)
        assert again.out.endswith("the same as at the last sync; nothing to do\n"), again
        other = run("sync", host.url("/f.tsv"), *allowed, "--currency", "USD")
        assert "8 unchanged" in other.out


def test_a_feed_is_imported_with_what_shoppers_did(run):
    Path("orders.csv").write_text("email,sku,time,event\nann,1,2026-01-01,purchase\nbob,99,2026-01-01,view\n")
    columns = ("--column", "user_id=email", "--column", "item_id=sku")
    ran = run("import", "feed", write(HATS), "--interactions", "orders.csv", *columns, "--store", "s")
    assert ran.code == 0 and ran.out.startswith("feed: 8 items, 1 interactions, 1 users"), ran
    assert "1 unknown item" in ran.out
    synced = run("sync", write(HATS[:7]), "--store", "s")
    assert synced.code == 0
    assert load_shop(Workspace("s")).log["item_id"].to_list() == ["1"]


class Counting(TextEmbedder):
    """Embeds a text as one direction, and remembers what it was asked."""

    name, model, dim = "count", "count-1", 2

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        import numpy as np

        self.asked += texts
        return np.tile(np.array([[1.0, 0.0]], np.float32), (len(texts), 1))


def test_afterwards_the_jobs_do_only_what_changed(tmp_path):
    for n in range(1, 9):
        Image.new("RGB", (16 + n, 20), (20 * n, 0, 0)).save(f"{n}.png")
    workspace, diary = Workspace(tmp_path / "s"), tmp_path / "diary"

    def jobs(rows):
        diary.write_text("")
        report = sync_feed(workspace, read_feed([write(rows)]))
        embedder, engine = Counting(), LocalEngine()
        captioned = caption_catalog(
            workspace, SlowCaptioner(diary=diary), engine=engine, config=CaptionJobConfig(batch_size=2, workers=1)
        )
        embed_catalog(workspace, embedder, engine=engine, config=EmbedJobConfig(batch_size=1, flush_rows=1))
        seen = sorted(line.split()[0] for line in diary.read_text().splitlines())
        return report, captioned, seen, embedder.asked

    _, captioned, seen, texts = jobs(HATS)
    assert (captioned.done, len(seen), len(texts)) == (8, 8, 8)
    Image.new("RGB", (40, 40), (0, 255, 0)).save("new.png")
    rows = [
        HATS[0].replace("1.50", "1.20"),  # a price: neither picture nor words
        HATS[1].replace("2.png", "new.png"),  # a picture
        HATS[2].replace("red", "blue"),  # words
        HATS[3].replace("in_stock", "out_of_stock"),  # neither
        *HATS[4:7],
        "9\tScarf\t1 EUR\tin_stock\t1.png\tred\n",  # new words, a picture that is known
    ]
    report, captioned, seen, texts = jobs(rows)
    assert [report.counts[name] for name in ("added", "changed", "unchanged", "removed")] == [1, 4, 3, 1]
    assert report.fields == {"price": 1, "images": 1, "attributes": 1, "availability": 1}
    assert (captioned.done + captioned.reused, seen) == (9, ["2"])
    assert sorted(texts) == ["Hat 3. color: blue", "Scarf. color: red"]
    report, captioned, seen, texts = jobs(rows)
    assert (report.changes, captioned.reused, seen, texts) == (0, 9, [], [])


def test_prices_without_a_currency_and_pictures_that_are_not_there_are_said(run):
    bare = [row.replace(" EUR", "") for row in HATS]
    header = HEADER.replace("image_link", "picture")
    Path("shop.tsv").write_text(header + "".join(bare))
    told = run("sync", "shop.tsv", "--form", "table", "--store", "s").out
    assert "prices name no currency and are shown as bare numbers: --currency EUR, say, names it" in told
    assert "8 pictures and videos lead nowhere" in told
    assert f"not there, the first: '1.png'; paths start from {str(Path.cwd())!r}" in told
    Image.new("RGB", (16, 16)).save("1.png")
    named = run("import", "feed", "shop.tsv", "--form", "table", "--currency", "EUR", "--store", "t").out
    assert "no currency" not in named
    assert "not there, the first: '2.png'" in named
