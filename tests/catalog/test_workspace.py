from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import DataError, NotBuiltError
from catalog.items import users_frame
from catalog.log import log_frame
from catalog.nouns import Interaction, Item, User
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.workspace import Workspace, content_key, write_text

OLD, NEW = content_key("old"), content_key("new")


def put(store: Workspace, name: str, key: str, text: str) -> None:
    with store.writing(name, key, {"text": text}) as folder:
        (folder / "data.txt").write_text(text)


def get(store: Workspace, name: str) -> str:
    return (store.path(name) / "data.txt").read_text()


def test_an_artifact_is_written_found_and_replaced(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    with pytest.raises(NotBuiltError, match=r"'captions/pixels' is not in the store .*: run vitrine caption first"):
        store.path("captions/pixels")
    put(store, "captions/pixels", OLD, "old")
    manifest = store.manifest("captions/pixels")
    assert manifest is not None and manifest.key == OLD and manifest.meta == {"text": "old"}
    assert store.has("captions/pixels") and store.has("captions/pixels", OLD) and not store.has("captions/pixels", NEW)
    put(store, "captions/pixels", NEW, "new")
    assert get(store, "captions/pixels") == "new"
    assert len(list((tmp_path / "captions/pixels").iterdir())) == 2  # the manifest and one data folder
    put(store, "captions/other", OLD, "x")
    assert store.names("captions") == ["other", "pixels"] and store.names("models") == []


def test_metadata_may_be_filled_while_writing(tmp_path: Path) -> None:
    store, meta = Workspace(tmp_path), {"rows": 0}
    with store.writing("reports/a", OLD, meta):
        meta["rows"] = 3
    manifest = store.manifest("reports/a")
    assert manifest is not None and manifest.meta == {"rows": 3}


def test_a_failure_while_writing_changes_nothing(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    put(store, "models/m", OLD, "old")
    with pytest.raises(RuntimeError), store.writing("models/m", NEW) as folder:
        (folder / "data.txt").write_text("half")
        raise RuntimeError
    assert get(store, "models/m") == "old"
    assert len(list((tmp_path / "models/m").iterdir())) == 2
    with pytest.raises(RuntimeError), store.writing("models/first", NEW):
        raise RuntimeError
    assert not store.has("models/first")


def test_writing_the_same_key_again_replaces_its_data(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    for text in ("one", "two", "three"):
        put(store, "models/m", OLD, text)
        assert get(store, "models/m") == text
        assert len(list((tmp_path / "models/m").iterdir())) == 2


def test_removing(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    put(store, "models/m", OLD, "old")
    store.remove("models/m")
    assert not store.has("models/m") and store.names("models") == []
    store.remove("models/m")


WRITER = """
import itertools, sys
from catalog.workspace import Workspace, content_key

store, same = Workspace(sys.argv[1]), sys.argv[2] == "same"
for n in itertools.count():
    with store.writing("models/m", content_key(0 if same else n), {"n": n}) as folder:
        for part in range(3):
            (folder / f"{part}.txt").write_text(str(n))
    print(n, flush=True)
"""


@pytest.mark.parametrize("keys", ["same", "other"])
def test_a_killed_writer_leaves_the_old_or_the_new_never_half(tmp_path: Path, keys: str) -> None:
    """Killed at many moments; after each, the artifact is whole and no older than what was acknowledged."""
    for attempt in range(6):
        root = tmp_path / str(attempt)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(root), keys], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(3)]
        time.sleep(0.0007 * attempt)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
        store = Workspace(root)
        manifest = store.manifest("models/m")
        assert manifest is not None
        parts = {(store.path("models/m") / f"{part}.txt").read_text() for part in range(3)}
        assert parts == {str(manifest.meta["n"])}
        assert manifest.meta["n"] >= int(acknowledged[-1])
        put(store, "models/m", NEW, "after")
        assert len(list((root / "models/m").iterdir())) == 2  # what the kill left is swept up


def test_at_every_step_of_a_rewrite_a_reader_finds_a_whole_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps are renames and removals; dying before any of them leaves old or new."""
    store = Workspace(tmp_path)

    class Killed(BaseException):
        pass

    for step in range(8):
        put(store, "models/m", OLD, "old")
        left = step

        def dying(real):  # type: ignore[no-untyped-def]
            def call(*args, **kwargs):  # type: ignore[no-untyped-def]
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", dying(Path.replace))
            patch.setattr("catalog.workspace.shutil.rmtree", dying(shutil.rmtree))
            with contextlib.suppress(Killed):
                put(store, "models/m", OLD, "new")
        assert get(store, "models/m") in ("old", "new")


def test_content_keys_tell_apart_what_differs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert content_key(b"x") == content_key(tmp_path / "a") != content_key("x")
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1}) != content_key({"a": 1})


def test_text_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "a.txt", "schön")
    assert (tmp_path / "deep" / "a.txt").read_text(encoding="utf-8") == "schön"
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "deep" / "a.txt", "\ud800")
    assert (tmp_path / "deep" / "a.txt").read_text(encoding="utf-8") == "schön"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_a_shop_is_saved_and_loaded(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    with pytest.raises(NotBuiltError, match="run vitrine generate or vitrine import first"):
        load_shop(store)
    shop = ShopData.of("tiny", [Item("a", attributes={"colour": ("red",)}), Item("b")], log_frame([]), [User("ann")])
    key = save_shop(store, shop, {"source": "test"}, extra=lambda folder: (folder / "more.txt").touch())
    again = load_shop(store)
    assert (
        again.name == "tiny" and again.catalog.items == shop.catalog.items and again.user_nouns == {"ann": User("ann")}
    )
    assert again.users.equals(users_frame([User("ann")]))
    manifest = store.manifest("catalog")
    assert manifest is not None and manifest.key == key
    assert manifest.meta == {"name": "tiny", "items": 2, "interactions": 0, "users": 1, "source": "test"}
    assert (store.path("catalog") / "more.txt").exists()
    renamed = ShopData("other", shop.items, shop.log, shop.users)
    assert save_shop(store, renamed) != key == save_shop(store, shop)


def test_an_empty_shop_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    save_shop(store, ShopData.of("tiny", [Item("a")], log_frame([])))
    with pytest.raises(DataError, match="'empty': no item was read"):
        save_shop(store, ShopData.of("empty", [], log_frame([])))
    assert load_shop(store).name == "tiny"


def test_reading_gives_the_folder_of_a_finished_artifact(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    with store.writing("indexes/x", "k" * 64) as folder:
        (folder / "data.txt").write_text("1")
    with store.reading("indexes/x") as folder:
        assert (folder / "data.txt").read_text() == "1"
    with pytest.raises(NotBuiltError, match="run vitrine index first"), store.reading("indexes/y"):
        pass


@pytest.mark.parametrize("fault", [ValueError("bad\nnumber"), KeyError("name"), OSError("gone"), DataError("cut")])
def test_what_a_damaged_file_raises_becomes_one_line_with_its_remedy(tmp_path: Path, fault: Exception) -> None:
    store = Workspace(tmp_path)
    with store.writing("indexes/x", "k" * 64) as folder:
        (folder / "data.txt").write_text("1")
    with pytest.raises(DataError) as caught, store.reading("indexes/x"):
        raise fault
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(f"remove '{store.root}/indexes/x/manifest.json' and run vitrine index again")


def test_a_file_that_was_changed_and_still_parses_is_found_where_the_whole_is_asked_for(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.writing("encoders/x", "k") as folder:
        (folder / "weights").write_bytes(b"\x00" * 64)
    (workspace.path("encoders/x") / "weights").write_bytes(b"\x55" * 64)
    with workspace.reading("encoders/x") as folder:
        assert folder.is_dir()
    with (
        pytest.raises(DataError, match=r"weights.*remove .*manifest\.json"),
        workspace.reading("encoders/x", whole=True),
    ):
        raise AssertionError("not reached")


def test_a_bug_while_reading_stays_a_bug(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    with store.writing("indexes/x", "k" * 64):
        pass
    with pytest.raises(AttributeError), store.reading("indexes/x"):
        raise AttributeError("typo")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": "k"}'])
def test_a_damaged_manifest_is_refused_with_its_remedy(tmp_path: Path, text: str) -> None:
    store = Workspace(tmp_path)
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"is no manifest: remove .*catalog/manifest.json.* and run vitrine generate"):
        store.manifest("catalog")


def test_a_manifest_that_is_a_folder_is_one_line_with_its_remedy(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    (tmp_path / "catalog" / "manifest.json").mkdir(parents=True)
    with pytest.raises(DataError, match=r"manifest.json' is a folder and no manifest: remove '.*' and run vitrine gen"):
        store.manifest("catalog")


@pytest.mark.parametrize("name", ["../x", "embeddings/../../x", "embeddings/", "/x", "."])
def test_a_name_that_leads_out_of_the_workspace_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(DataError, match="no name of an artifact"),
        Workspace(tmp_path / "store").writing(name, "k" * 64),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file"):
        Workspace(tmp_path / "file")


def test_a_fault_of_an_artifact_is_told_in_a_line(tmp_path: Path) -> None:
    store = Workspace(tmp_path)
    assert store.fault("captions/pixels") is None
    put(store, "captions/pixels", OLD, "old")
    assert store.fault("captions/pixels") is None
    (store.path("captions/pixels") / "data.txt").write_text("odd")
    assert str(store.fault("captions/pixels")).endswith("data.txt' is not what was written: its sha256 has changed")
    (store.path("captions/pixels") / "data.txt").write_text("longer")
    assert str(store.fault("captions/pixels")).endswith("data.txt' has 6 bytes, and had 3 when it was written")


@pytest.mark.parametrize("files", [7, {"data.txt": 1}, {"data.txt": {"size": 3}}, ["data.txt"]])
def test_a_damaged_list_of_files_is_a_fault_and_none_is_not(tmp_path: Path, files: object) -> None:
    store = Workspace(tmp_path)
    put(store, "captions/pixels", OLD, "old")
    path = tmp_path / "captions/pixels/manifest.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"files": files}))
    assert store.fault("captions/pixels") == "its manifest's list of files is damaged"
    del raw["files"]
    path.write_text(json.dumps(raw))
    assert store.fault("captions/pixels") is None


def test_dates_that_no_clock_has_are_damage_of_the_catalogue(tmp_path: Path) -> None:
    store, shop = Workspace(tmp_path), ShopData.of("tiny", [Item("a")], log_frame([]))
    click = Interaction("e", "ann", "a", datetime(2026, 1, 1, tzinfo=UTC), "click")
    log = log_frame([click]).with_columns(timestamp=pl.lit(2**62).cast(pl.Datetime("us", "UTC")))
    save_shop(store, ShopData("tiny", shop.items, log, shop.users))
    with pytest.raises(DataError, match=r"'catalog' in the store .* cannot be read"):
        load_shop(store)
