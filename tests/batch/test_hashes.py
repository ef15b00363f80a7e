import contextlib
import hashlib
import multiprocessing
import os
import resource
import sqlite3
import time
import zipfile

import pytest

from batch.hashes import NAME, HashCache
from batch.keys import Keys
from catalog.errors import MediaError
from catalog.workspace import content_key


@pytest.fixture
def later():
    """A clock an hour ahead: files written now are old enough to be trusted."""
    return lambda: time.time() + 3600


def sha(data):
    return hashlib.sha256(data).hexdigest()


def test_a_file_is_read_once_and_again_when_it_changed(tmp_path, later):
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"two")
    with HashCache(tmp_path, clock=later) as cache:
        assert cache.shas(["a.jpg", "b.jpg", "a.jpg"]) == [sha(b"one"), sha(b"two"), sha(b"one")]
        assert cache.read == 2
    with HashCache(tmp_path, clock=later) as cache:
        assert cache.shas(["a.jpg", "b.jpg"]) == [sha(b"one"), sha(b"two")]
        assert cache.read == 0
        before = (tmp_path / "a.jpg").stat()
        (tmp_path / "a.jpg").write_bytes(b"new")
        os.utime(tmp_path / "a.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert cache.shas(["a.jpg", "b.jpg"]) == [sha(b"new"), sha(b"two")]
        assert cache.read == 1


def test_a_file_that_just_changed_is_not_trusted(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"one")
    for _ in range(2):
        with HashCache(tmp_path) as cache:
            assert cache.shas(["a.jpg"]) == [sha(b"one")]
            assert cache.read == 1


def test_what_cannot_be_read_is_a_failure_of_its_own(tmp_path, later):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"one")
    refs = ["gone.jpg", "folder", "a.jpg", "../out.jpg", "a.jpg/inside.jpg", "", "s3://x/y.jpg", "nul\0.jpg"]
    with HashCache(tmp_path, clock=later) as cache:
        found = cache.shas(refs)
    assert [isinstance(each, MediaError) for each in found] == [True, True, False, True, True, True, True, True]
    said = [str(each) for each in found if isinstance(each, MediaError)]
    named = [repr(ref) for ref in refs if ref != "a.jpg"]
    named[5] = repr("s3")
    assert all(name in text for name, text in zip(named, said, strict=True))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read_is_a_failure(tmp_path, later):
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "a.jpg").write_bytes(b"one")
    (tmp_path / "shut").chmod(0)
    try:
        with HashCache(tmp_path, clock=later) as cache:
            [found] = cache.shas(["shut/a.jpg"])
    finally:
        (tmp_path / "shut").chmod(0o755)
    assert isinstance(found, MediaError) and "shut/a.jpg" in str(found)


def test_absolute_paths_and_members_of_archives(tmp_path, later):
    (tmp_path / "a.jpg").write_bytes(b"one")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("x.jpg", b"in a zip")
    refs = [str(tmp_path / "a.jpg"), "photos.zip!/x.jpg"]
    for read in (2, 0):
        with HashCache(tmp_path, clock=later) as cache:
            assert cache.shas(refs) == [sha(b"one"), sha(b"in a zip")]
            assert cache.read == read


def test_a_damaged_cache_is_made_anew(tmp_path, caplog):
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / NAME).write_bytes(b"no database" * 100)
    with HashCache(tmp_path) as cache:
        assert cache.shas(["a.jpg"]) == [sha(b"one")]
    assert "hash cache dropped" in caplog.text


def test_keys_are_content_keys():
    keys = Keys("caption", "pixels", "é", None)
    assert keys.key("abc", "image", 12) == content_key("caption", "pixels", "é", None, "abc", "image", 12)
    assert keys.key("abc") != keys.key("abd")


def fill(folder, later, count=2000):
    """Return references of files that a cache in `folder` knows; its table is several pages long."""
    (folder / "a.jpg").write_bytes(b"one")
    with HashCache(folder, clock=later) as cache:
        cache.shas(["a.jpg"])
        cache._remembered.keep([(f"p{n}.jpg", n, "m", hashlib.sha256(b"%d" % n).digest()) for n in range(count)])


def test_pages_damaged_inside_are_made_anew(tmp_path, later, caplog):
    fill(tmp_path, later)
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    for read in (1, 0):
        with HashCache(tmp_path, clock=later) as cache:
            assert cache.shas(["a.jpg"]) == [sha(b"one")]
            assert cache.read == read
    assert caplog.text.count("hash cache dropped") == 1


@pytest.mark.parametrize(
    "table",
    [
        "hashes (other TEXT)",
        "hashes (path TEXT, size, mark, sha, more TEXT NOT NULL)",
        "hashes (path TEXT PRIMARY KEY, size TEXT CHECK (0), mark, sha)",
    ],
)
def test_a_table_of_another_layout_is_made_anew(tmp_path, later, caplog, table):
    (tmp_path / "a.jpg").write_bytes(b"one")
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as base:
        base.execute(f"CREATE TABLE {table}")
    for read in (1, 0):
        with HashCache(tmp_path, clock=later) as cache:
            assert cache.shas(["a.jpg"]) == [sha(b"one")]
            assert cache.read == read
    assert caplog.text.count("hash cache dropped") == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("name", [NAME, f"{NAME}-wal"])
def test_something_else_of_its_name_is_left_alone(tmp_path, later, caplog, make, name):
    (tmp_path / "a.jpg").write_bytes(b"one")
    make(tmp_path / name)
    with HashCache(tmp_path, clock=later) as cache:
        assert cache.shas(["a.jpg"]) == [sha(b"one")] == cache.shas(["a.jpg"])
    assert caplog.text.count("hash cache not kept") == 1
    assert (tmp_path / name).exists()


def hash_within(folder, largest_file, said):
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    with HashCache(folder, clock=lambda: time.time() + 3600) as cache:
        cache._remembered.keep([(f"p{n}.jpg", n, "m", bytes(32)) for n in range(20_000)])
        said.send(cache.shas(["a.jpg"]))


@pytest.mark.parametrize("largest_file", [0, 4096, 200_000])
def test_without_room_it_is_not_kept_and_the_work_goes_on(tmp_path, largest_file):
    (tmp_path / "a.jpg").write_bytes(b"one")
    context = multiprocessing.get_context("forkserver")
    said, saying = context.Pipe(duplex=False)
    process = context.Process(target=hash_within, args=(tmp_path, largest_file, saying))
    process.start()
    saying.close()
    assert said.recv() == [sha(b"one")]
    process.join()
    assert process.exitcode == 0
