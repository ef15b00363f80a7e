from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import MediaError
from catalog.media import MediaLimits, media_bytes, media_sha, media_stamp, open_media, open_picture

LIMITS = MediaLimits()
PACKED = b"abc" * 50_000
STORED = bytes(range(256)) * 400


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("shoes/red.png", png((255, 0, 0)), zipfile.ZIP_DEFLATED)
        archive.writestr("packed", PACKED, zipfile.ZIP_DEFLATED)
        archive.writestr("stored", STORED, zipfile.ZIP_STORED)
        archive.writestr("lzma", PACKED, zipfile.ZIP_LZMA)
        archive.writestr("nothing", b"")
        archive.mkdir("folder")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        for name, data in (("./shoes/red.png", png((255, 0, 0))), ("packed", PACKED), ("stored", STORED)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return tmp_path


@pytest.mark.parametrize("archive", ["photos.zip", "photos.tar"])
def test_a_member_reads_like_a_file_of_its_own(store: Path, archive: str) -> None:
    assert open_picture(f"{archive}!/shoes/red.png", store, LIMITS).getpixel((3, 3)) == (255, 0, 0)
    for name, data in (("packed", PACKED), ("stored", STORED)):
        ref = f"{archive}!/{name}"
        assert media_bytes(ref, store, len(data)) == data
        assert media_sha(ref, store) == hashlib.sha256(data).hexdigest()
        assert media_sha(str(store / archive) + f"!/{name}", Path("/nowhere")) == hashlib.sha256(data).hexdigest()
        assert media_stamp(ref, store).size == len(data)
        with open_media(ref, store, len(data)) as file:
            assert file.seekable()
            file.seek(-5, os.SEEK_END)
            assert file.read() == data[-5:] and file.tell() == len(data)
            file.seek(1000)
            assert file.read(7) == data[1000:1007]


def test_a_member_packed_by_lzma_reads_too(store: Path) -> None:
    with open_media("photos.zip!/lzma", store, 10**6) as file:
        assert file.read() == PACKED


def test_many_threads_read_one_archive(store: Path) -> None:
    refs = ["photos.zip!/packed", "photos.zip!/stored", "photos.tar!/packed", "photos.tar!/stored"] * 50
    with ThreadPoolExecutor(8) as pool:
        shas = list(pool.map(lambda ref: media_sha(ref, store), refs))
    assert shas == [hashlib.sha256(data).hexdigest() for data in (PACKED, STORED, PACKED, STORED)] * 50


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("photos.zip!/missing.jpg", "holds no file 'missing.jpg'"),
        ("photos.zip!/folder", "holds no file"),
        ("photos.tar!/link", "holds no file 'link'"),
        ("photos.zip!/", "no plain name"),
        ("photos.zip!/../secret", "no plain name"),
        ("photos.zip!//etc/passwd", "no plain name"),
        ("photos.zip!/a\\b", "no plain name"),
        ("photos.zip!/nothing", "is empty"),
        ("absent.zip!/a.jpg", "there is no archive"),
        ("../photos.zip!/packed", "leaves the store"),
        ("photos.tar.gz!/a.jpg", "cannot be read at random; a .zip or an uncompressed .tar"),
        ("photos.tgz!/a.jpg", "cannot be read at random"),
        ("text.zip!/a.jpg", "cannot be read: File is not a zip file"),
        ("text.tar!/a.jpg", "cannot be read"),
        ("ftp://shop.example/photos.zip!/a.jpg", "scheme 'ftp'"),
    ],
)
def test_a_bad_member_is_one_clear_line(store: Path, ref: str, says: str) -> None:
    for name in ("text.zip", "text.tar"):
        (store / name).write_bytes(b"no archive at all" * 99)
    for read in (lambda: media_bytes(ref, store, 10**9), lambda: open_picture(ref, store, LIMITS)):
        with pytest.raises(MediaError, match=says) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_a_path_with_the_mark_in_it_is_still_a_path(tmp_path: Path) -> None:
    (tmp_path / "new!").mkdir()
    (tmp_path / "new!" / "a").write_bytes(b"x")
    assert media_bytes("new!/a", tmp_path, 9) == b"x"


def test_a_bomb_is_refused_by_its_declared_size_and_a_lie_by_the_checksum(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(3_000_000))
    with pytest.raises(MediaError, match="3,000,000 bytes; up to 1,000 would be valid"):
        open_media("bomb.zip!/zeros", tmp_path, 1000)
    data = (tmp_path / "bomb.zip").read_bytes()
    lie = data.replace((3_000_000).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    assert lie != data
    (tmp_path / "lie.zip").write_bytes(lie)
    for read in (
        lambda: media_bytes("lie.zip!/zeros", tmp_path, 1000),
        lambda: open_media("lie.zip!/zeros", tmp_path, 1000),
        lambda: media_sha("lie.zip!/zeros", tmp_path),
    ):
        with pytest.raises(MediaError, match="Bad CRC-32"):
            read()


def test_a_huge_member_is_refused_even_where_nobody_set_a_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(3_000_000))
    data = (tmp_path / "a.zip").read_bytes()
    head, _, tail = data.rpartition((3_000_000).to_bytes(4, "little"))  # the directory's, not the local header's
    (tmp_path / "a.zip").write_bytes(head + (0xFFFFFFFE).to_bytes(4, "little") + tail)
    assert media_stamp("a.zip!/zeros", tmp_path).size == 0xFFFFFFFE
    with pytest.raises(MediaError, match="4,294,967,294 bytes; up to 9 would be valid"):
        media_bytes("a.zip!/zeros", tmp_path, 9)


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"secret")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with pytest.raises(MediaError, match=r"^media file '[^<>]*' is encrypted; "):
        media_bytes("a.zip!/a", tmp_path, 99)
    with pytest.raises(MediaError, match=r"^media file '[^<>]*' is encrypted; "):
        open_media("a.zip!/a", tmp_path, 99)


def test_a_tar_cut_off_keeps_what_came_before(store: Path) -> None:
    data = (store / "photos.tar").read_bytes()
    (store / "cut.tar").write_bytes(data[: 3 * 512 + 100_000])
    assert open_picture("cut.tar!/shoes/red.png", store, LIMITS).size == (8, 8)
    with pytest.raises(MediaError, match="holds no file 'packed'"):
        media_bytes("cut.tar!/packed", store, 10**9)


def test_a_changed_archive_is_read_anew_and_the_stamp_tells(store: Path) -> None:
    before = media_stamp("photos.zip!/packed", store)
    assert media_stamp("photos.zip!/packed", store) == before
    with zipfile.ZipFile(store / "new.zip", "w") as archive:
        archive.writestr("stored", STORED)
        archive.writestr("packed", b"other")
    (store / "new.zip").replace(store / "photos.zip")
    assert media_bytes("photos.zip!/packed", store, 99) == b"other"
    assert media_stamp("photos.zip!/packed", store) != before
    assert media_stamp("photos.tar!/packed", store) != media_stamp("photos.tar!/stored", store)


def test_the_stamp_of_a_file_follows_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    before = media_stamp("a", tmp_path)
    assert (before.path, before.size) == (str(tmp_path / "a"), 3)
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "b").replace(tmp_path / "a")
    assert media_stamp("a", tmp_path) != before
