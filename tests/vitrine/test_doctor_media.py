"""Pictures and films that the catalogue names and nobody can open, as the doctor tells of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from catalog.findings import Finding
from catalog.media.refs import fetched_path
from catalog.nouns import Item
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from vitrine.doctor import examine
from vitrine.doctor_media import media_findings
from vitrine.settings import load_settings


def test_missing_and_empty_files_are_counted_and_the_first_items_named(tmp_path: Path) -> None:
    (tmp_path / "there.jpg").write_bytes(b"...")
    (tmp_path / "empty.jpg").touch()
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("1.jpg", b"...")
    items = [
        Item("whole", images=("there.jpg", "photos.zip!/1.jpg")),
        Item("a", images=("there.jpg", "gone.jpg"), videos=("gone.mp4",)),
        Item("b", images=("empty.jpg",)),
        Item("c", images=("photos.zip!/2.jpg",)),
        Item("d", images=(str(tmp_path / "gone.png"),)),
    ]
    (found,) = media_findings(items, tmp_path)
    assert found == Finding(
        "bad", "  pictures",
        "5 of 4 items missing or empty: a (gone.jpg and 1 more), b (empty.jpg), c (photos.zip!/2.jpg), ...; "
        "put the files back, or import without them",
    )  # fmt: skip
    assert media_findings(items[:1], tmp_path) == [
        Finding("ok", "  pictures", "2 files of pictures and films, all there")
    ]
    assert media_findings([Item("bare")], tmp_path) == []


def test_what_was_not_fetched_yet_is_a_note_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    here, away = "https://shop.example/1.jpg", "https://shop.example/2.jpg?token=abc"
    path = fetched_path(here, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"...")
    (found,) = media_findings([Item("a", images=(here, away)), Item("b", images=(away,))], tmp_path)
    assert (found.level, found.text) == (
        "note", "1 of 1 item named by URL and not fetched: b (https://shop.example/2.jpg?token=***); run vitrine media",
    )  # fmt: skip


def test_the_doctor_of_a_store_looks_for_them(store: Path) -> None:
    def pictures() -> list[Finding]:
        return [each for each in examine(load_settings({"store": str(store)}), False) if each.subject == "  pictures"]

    assert [each.level for each in pictures()] == ["ok"]
    item = next(item for item in load_shop(Workspace(store)).catalog if item.images)
    picture = store / item.images[0]  # of a folder that all tests share
    aside = picture.rename(picture.with_suffix(".aside"))
    try:
        (found,) = pictures()
    finally:
        aside.rename(picture)
    assert found.level == "bad"
    assert found.text.startswith(f"1 of 1 item missing or empty: {item.item_id} ({item.images[0]})")
