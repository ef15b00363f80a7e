"""A damaged store: one clear line that says how to make the artifact anew, and nothing touched."""

from __future__ import annotations

import json
import shutil

import pytest

CHAT = ["chat", "a blue vase"]
DAMAGE = {
    "catalog/manifest.json": (["caption"], ["train"], CHAT),
    "catalog/*/items.parquet": (["caption"], ["index"], ["train"], ["eval"], CHAT),
    "catalog/*/log.parquet": (["train"], ["eval"], CHAT),
    "captions/pixels/manifest.json": (["embed"], CHAT),
    "captions/pixels/*/captions.parquet": (["embed"], ["index"], CHAT),
    "embeddings/text-minilm/manifest.json": (["embed"], ["index"], ["train"], CHAT),
    "embeddings/text-minilm/*/vectors.npy": (["index"], ["train"], ["eval"], CHAT),
    "embeddings/text-minilm/*/ids.parquet": (["index"], CHAT),
    "indexes/keyword/*/index.json": (CHAT,),
    "indexes/keyword/*/terms.parquet": (CHAT,),
    "indexes/keyword/*/rows.npy": (CHAT,),
    "indexes/text-minilm/*/vectors.npy": (CHAT,),
    "models/lirdrec/*/model.json": (CHAT,),
    "models/lirdrec/*/config.json": (CHAT,),
    "models/lirdrec/*/model.safetensors": (CHAT,),
    "models/lirdrec/*/users.parquet": (CHAT,),
    "models/lirdrec/manifest.json": (["train"], CHAT),
}
CASES = [(pattern, command) for pattern, commands in DAMAGE.items() for command in commands]


@pytest.mark.parametrize("junk", [b"junk", b""], ids=["junk", "cut off"])
@pytest.mark.parametrize(("pattern", "command"), CASES, ids=[f"{pattern}, {command[0]}" for pattern, command in CASES])
def test_a_damaged_file_is_one_line(run, store, tree, pattern, command, junk):
    (path,) = store.glob(pattern)
    path.write_bytes(junk)
    before = tree(store)
    line = run(*command, "--store", store).line
    assert str(store) in line
    name = "/".join(pattern.split("/")[: 1 if pattern.startswith("catalog") else 2])
    assert name in line
    assert {path for path in set(tree(store)) ^ set(before) if not path.endswith(".lock")} == set()


FLIPPED = {
    "catalog/*/items.parquet": (["index"], CHAT),
    "captions/pixels/*/captions.parquet": (["index"], CHAT),
    "embeddings/text-minilm/*/vectors.npy": (["index"], ["train"], CHAT),
    "embeddings/text-minilm/*/ids.parquet": (["index"], CHAT),
}
FLIPS = [(pattern, command) for pattern, commands in FLIPPED.items() for command in commands]


@pytest.mark.parametrize(("pattern", "command"), FLIPS, ids=[f"{pattern}, {command[0]}" for pattern, command in FLIPS])
def test_a_file_of_the_right_size_with_other_bytes_in_it_is_one_line(run, store, pattern, command):
    """Vectors with other numbers in them load all the same, and every answer would be another."""
    (path,) = store.glob(pattern)
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 0x10
    path.write_bytes(held)
    line = run(*command, "--store", store).line
    assert f"{str(path)!r} is not what was written: its sha256 has changed: remove " in line


MENDED = {
    "captions/pixels/*/captions.parquet": ("caption", "captions/pixels: 0 done, 6 reused"),
    "embeddings/text-minilm/*/vectors.npy": ("embed", "embeddings/text-minilm: 0 done, 6 reused"),
    "indexes/keyword/*/rows.npy": ("index", "indexes/keyword: 6 items, built"),
}


@pytest.mark.parametrize(("pattern", "command", "said"), [(p, *rest) for p, rest in MENDED.items()], ids=list(MENDED))
def test_the_remedy_in_the_line_works_and_loses_no_finished_work(run, store, life, pattern, command, said):
    (path,) = store.glob(pattern)
    path.write_bytes(b"junk")
    manifest = store / "/".join(pattern.split("/")[:2]) / "manifest.json"
    reader = ["embed"] if command == "caption" else ["index"] if command == "embed" else CHAT
    assert run(*reader, "--store", store).line.endswith(f"remove '{manifest}' and run vitrine {command} again")
    manifest.unlink()
    assert said in run(command, "--store", store, *life.fast).out
    assert run(*CHAT, "--store", store).code == 0


@pytest.mark.parametrize("meta", [{}, None, {"roles": None}], ids=str)
def test_a_manifest_that_does_not_say_what_the_model_reads_is_one_line(run, store, meta):
    manifest = store / "models" / "lirdrec" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"meta": meta}))
    assert run(*CHAT, "--store", store).line.endswith(f"remove '{manifest}' and run vitrine train again")


@pytest.mark.parametrize("gone", ["catalog", "indexes/keyword", "captions/pixels"])
def test_a_manifest_whose_folder_is_gone_is_one_line(run, store, gone):
    for folder in (store / gone).iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    line = run(*CHAT, "--store", store).line
    assert f"is named by its manifest and missing: remove '{store}/{gone}/manifest.json' and run vitrine" in line


def test_a_damaged_shard_is_dropped_and_its_work_done_again(run, store):
    for shard in store.glob("captions/pixels/.parts/*.parquet"):
        shard.write_bytes(b"junk")
    ran = run("caption", "--store", store)
    assert ran.code == 0 and "6 done, 0 reused" in ran.out and "shard dropped" in ran.err


def test_damaged_events_are_one_line(run, store):
    run(*CHAT, "--store", store)
    for path in store.glob("events.sqlite*"):
        path.unlink()
    (store / "events.sqlite").write_bytes(b"junk" * 100)
    assert "events.sqlite' cannot be opened: file is not a database" in run(*CHAT, "--store", store).line
