"""Bad input through the console command: one clear line, exit status 2, nothing half-written."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CONSOLE = Path(sys.executable).parent / "vitrine"
STAGES = (["caption"], ["embed"], ["index"], ["train"], ["eval"], ["serve"], ["chat", "hello"])


def test_the_console_script_itself_says_one_line_and_no_traceback(tmp_path):
    done = subprocess.run([CONSOLE, "doctor", "--set", "agnet=1"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: unknown setting 'agnet'") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage[0])
def test_an_empty_store_names_the_command_that_fills_it(run, stage):
    line = run(*stage, "--store", "nowhere").line
    assert line.startswith("'catalog' is not in the store") and "run vitrine generate or vitrine import first" in line
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    "command", [*STAGES, ["generate"], ["import", "table", "--items", "files/items.csv"]], ids=lambda c: c[0]
)
def test_a_store_that_is_a_file_is_left_alone(run, files, command):
    Path("store").write_text("mine")
    assert "is a file; a folder, there or yet to be made, would be valid" in run(*command, "--store", "store").line
    assert Path("store").read_text() == "mine"


def test_a_store_in_the_home_of_nobody_is_one_line(run):
    assert "'~no-such-user/shop': there is no such user's home" in run("caption", "--store", "~no-such-user/shop").line


def test_a_store_that_cannot_be_made_is_one_line(run, files):
    Path("taken").write_text("mine")
    line = run("import", "table", "--items", "files/items.csv", "--store", "taken/store").line
    assert "taken/store/catalog" in line and "Not a directory" in line


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("command", ["generate", "import"])
def test_a_place_where_nothing_can_be_made_is_one_line(run, files, command):
    rest = ["table", "--items", "files/items.csv"] if command == "import" else ["--set", "boutique.n_items=48"]
    line = run(command, *rest, "--store", "/proc/vitrine").line
    assert line.startswith("'/proc/vitrine")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable to root")
def test_a_store_without_leave_to_write_is_one_line(run, files):
    Path("store").mkdir(mode=0o555)
    line = run("import", "table", "--items", "files/items.csv", "--store", "store").line
    assert "store/catalog" in line and "Permission denied" in line


IMPORTS = {
    "no table": ([], "no table to read"),
    "missing items": (["--items", "nope.csv"], "file 'nope.csv' does not exist"),
    "missing events": (["--items", "files/items.csv", "--interactions", "nope.csv"], "file 'nope.csv' does not exist"),
    "a folder": (["--items", "files"], "file 'files' is a folder; a file ending in one of .csv"),
    "this folder": (["--items", "."], "file '.' is a folder"),
    "unknown form": (["--items", "bad/items.xls"], "file 'bad/items.xls': unknown form; one of .csv"),
    "empty": (["--items", "bad/empty.csv"], "file 'bad/empty.csv' is empty"),
    "header only": (["--items", "bad/header.csv"], "no item was read"),
    "binary": (["--items", "bad/binary.csv"], "has no column for 'item_id'"),
    "no Parquet": (["--items", "bad/junk.parquet"], "file 'bad/junk.parquet' is not a readable Parquet file"),
    "no gzip": (["--items", "bad/junk.csv.gz"], "file 'bad/junk.csv.gz' cannot be read"),
    "no JSON": (["--items", "bad/junk.jsonl"], "file 'bad/junk.jsonl'"),
    "wrong column": (["--items", "files/items.csv", "--column", "title=nam"], "no column 'nam'. Available: brand"),
    "unknown target": (
        ["--items", "files/items.csv", "--column", "titel=title"], "unknown target 'titel'. Did you mean 'title'?",
    ),
    "no map": (["--items", "files/items.csv", "--column", "title"], "--column 'title' is not of the form"),
    "mapped twice": (
        ["--items", "files/items.csv", "--column", "title=title", "--column", "title=brand"], "already 'title'",
    ),
    "other table": (["--items", "files/interactions.csv", "--column", "item_id=kindd"], "no column 'kindd'"),
}  # fmt: skip


@pytest.fixture
def bad() -> None:
    folder = Path("bad")
    folder.mkdir()
    (folder / "items.xls").write_text("a")
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("item_id,title\n")
    (folder / "binary.csv").write_bytes(b"\xff\xfe\x00\x1b[31mred\x00\n\x01\n")
    (folder / "junk.parquet").write_bytes(b"PAR1junk")
    (folder / "junk.csv.gz").write_bytes(b"junk")
    (folder / "junk.jsonl").write_text("{nope\n")


@pytest.mark.parametrize(("options", "said"), IMPORTS.values(), ids=IMPORTS)
def test_an_import_that_cannot_be_writes_nothing(run, files, bad, options, said):
    line = run("import", "table", *options, "--store", "store").line
    assert said in line
    assert line.isprintable()  # whatever the file held
    assert not Path("store").exists()


@pytest.mark.parametrize(
    ("folder", "said"),
    [("nope", "folder 'nope' does not exist"), ("files/items.csv", "is a file"), ("files", "holds 0 .inter files")],
)
def test_an_mmrec_folder_that_is_none(run, files, folder, said):
    assert said in run("import", "mmrec", folder, "--store", "store").line
    assert not Path("store").exists()


def test_bad_rows_are_counted_with_line_and_reason_and_the_rest_is_imported(run, files):
    Path("prices.csv").write_text(
        "item_id,title,price\nA,One,nan\nB,Two,-3\nC,Three,cheap\nD,Four,5\n,Five,6\nD,Six,7\n"
    )
    Path("log.csv").write_text("user_id,item_id,timestamp,kind\nu,D,noon,view\nu,D,1700000000,view\n,D,1,view\n")
    ran = run("import", "table", "--items", "prices.csv", "--interactions", "log.csv", "--store", "store")
    assert ran.code == 0
    assert ran.out.startswith("prices: 1 items, 1 interactions")
    assert "7 rows rejected" in ran.out and "prices.csv line 2: price 'nan'" in ran.out


def test_a_second_import_that_fails_leaves_the_first(run, files, store, tree):
    before = tree(store)
    assert "no item was read" in run("import", "table", "--items", _written("item_id\n"), "--store", store).line
    assert tree(store) == before


def _written(text: str) -> str:
    Path("some.csv").write_text(text)
    return "some.csv"


VECTORS = {
    "missing": (["nope.npy", "--space", "x"], "vectors 'nope.npy': no such file"),
    "no ids": (["v.npy", "--space", "x"], "a .npy file has no ids"),
    "junk": (["v.npy", "--space", "x", "--ids", "files/items.csv"], "vectors 'v.npy': not a plain .npy array"),
    "other form": (["files/items.csv", "--space", "x"], "'.csv' is not known; .npy or .parquet would be valid"),
    "a way out": (["whole.npy", "--space", "../../x", "--ids", "files/items.csv"], "no name of an artifact"),
}


@pytest.mark.parametrize(("options", "said"), VECTORS.values(), ids=VECTORS)
def test_vectors_that_cannot_be_write_nothing(run, files, store, tree, options, said):
    Path("v.npy").write_bytes(b"junk")
    np.save("whole.npy", np.ones((6, 2), np.float32))
    before = tree(store)
    assert said in run("import", "vectors", *options, "--store", store).line
    assert tree(store) == before


EVALS = {
    "model": (["--models", "lirdrek"], "unknown model 'lirdrek'. Did you mean 'lirdrec'?"),
    "no model": (["--models", " ,"], "--models ' ,' names nothing"),
    "metric": (["--metrics", "ndgc@20"], "unknown metric 'ndgc' in 'ndgc@20'. Did you mean 'ndcg'?"),
    "metric without k": (["--metrics", "ndcg"], "'ndcg@20' would be valid"),
    "k of zero": (["--metrics", "ndcg@0"], "a cut-off from 1 to 10,000 would be valid"),
    "k of a million": (["--metrics", "recall@1000000"], "a cut-off from 1 to 10,000 would be valid"),
    "no metric": (["--metrics", ""], "--metrics '' names nothing"),
    "protocol": (["--protocol", "lasst"], "unknown protocol 'lasst'. Did you mean 'last'?"),
    "label column": (["--label-column", "x_lab"], "label column 'x_lab' is not in the log"),
    "space": (["--modality", "picture=nope"], "models.modalities.picture is 'nope', which is not in the store"),
    "modality": (["--modality", "picture"], "--modality 'picture' is not of the form"),
    "shuffled role": (["--shuffle", "sound"], "--shuffle 'sound' is no modality in use. Available: picture, text"),
    "seeds": (["--seeds", "a"], "--seeds 'a' is not a list of whole numbers"),
    "seed too large": (["--seeds", "0," + "9" * 6000], "is not a list of whole numbers from 0 to 2147483647"),
    "seed below zero": (["--seeds", "0,-1"], "--seeds '0,-1' is not a list of whole numbers"),
    "report is a folder": (["--json", "files"], "--json 'files' is a folder"),
    "report below a file": (["--json", "files/items.csv/r.json"], "files/items.csv"),
    "positives": (["--set", 'positives=["buy"]'], "setting 'positives.0' is 'buy'"),
    "positives absent": (["--set", 'positives=["cart"]'], "none of 40 interactions is of kind cart"),
    "parameter": (["--set", "models.overrides.lirdrec.dimm=1"], "unknown setting 'dimm'"),
}


@pytest.mark.parametrize(("options", "said"), EVALS.values(), ids=EVALS)
def test_an_evaluation_that_cannot_be_is_refused_before_it_fits(run, files, store, tree, options, said):
    before = tree(store)
    ran = run("eval", "--models", "popularity", *options, "--store", store)
    assert said in ran.line
    assert tree(store) == before


def test_a_cut_off_beyond_the_shop_is_the_whole_list(run, store):
    assert run("eval", "--models", "popularity", "--metrics", "recall@10000", "--store", store).code == 0


TRAINS = {
    "moment": (["--as-of", "1990-01-01"], "leaves no event; a moment after 2023-11-14"),
    "space": (["--modality", "text=text-minlm"], "Did you mean 'text-minilm'?"),
    "recommender": (["--set", "models.serve=lirdrek"], "unknown recommender 'lirdrek'"),
    "positives absent": (["--set", 'positives=["cart"]'], "no positive"),
}


@pytest.mark.parametrize(("options", "said"), TRAINS.values(), ids=TRAINS)
def test_a_training_that_cannot_be_keeps_the_served_model(run, store, tree, options, said):
    before = tree(store)
    assert said in run("train", *options, "--store", store).line
    assert tree(store) == before


def test_a_shop_without_events_is_served_and_says_what_it_cannot_do(run, files):
    assert run("import", "table", "--items", "files/items.csv", "--store", "store").code == 0
    assert "none of the 6 items has a picture or video" in run("caption", "--store", "store").line
    ran = run("embed", "--store", "store")
    assert ran.code == 0 and ran.out.splitlines()[-2].startswith("captions: none in the store yet")
    assert run("index", "--store", "store").code == 0
    assert "no positive" in run("train", "--store", "store").line
    assert "the log is empty" in run("eval", "--store", "store").line
    assert "Red vase" in run("chat", "a red vase", "--store", "store").out


def test_a_shop_of_ids_alone_has_nothing_to_embed(run):
    Path("ids.csv").write_text("item_id\nA\nB\n")
    run("import", "table", "--items", "ids.csv", "--store", "store")
    assert "none of the 2 items has title" in run("embed", "--store", "store").line
    assert not Path("store/embeddings").exists()


def test_a_shop_without_indexes_names_the_command(run, files):
    run("import", "table", "--items", "files/items.csv", "--store", "store")
    assert "run vitrine index first" in run("chat", "a vase", "--store", "store").line


def test_pictures_that_are_none_are_counted_and_tried_again(run, files):
    picture = files / "images" / "V01.png"
    whole = picture.read_bytes()
    picture.write_bytes(b"not a picture")
    (files / "images" / "V02.png").write_bytes(whole[:60])
    options = ("--items", "files/items.csv", "--images", "images/{item_id}.png")
    run("import", "table", *options, "--store", "store")
    ran = run("caption", "--store", "store")
    assert ran.code == 0 and "4 done, 0 reused, 2 failed" in ran.out
    named = next(line for line in ran.out.splitlines() if "all of them: " in line)
    assert Path(named.partition("all of them: ")[2]).name == "failures.parquet"
    assert Path(named.partition("all of them: ")[2]).is_file()
    assert "2 media, the first: " in ran.out and "V01.png' is not a picture of a known form" in ran.out
    picture.write_bytes(whole)
    assert "1 done, 4 reused, 1 failed" in run("caption", "--store", "store").out


def test_pictures_by_url_alone_are_refused_with_the_reason_and_its_place(run):
    Path("items.csv").write_text("sku,title,image\nA,Vase,https://a.example/a.jpg\nB,Mug,https://a.example/b.jpg\n")
    run("import", "table", "--items", "items.csv", "--store", "store")
    line = run("caption", "--store", "store", "--set", "captions.job.fetch=false").line
    assert "none of 2 pictures and videos has a caption: 2 by URL, the first: 'https://a.example/a.jpg' has not" in line
    assert "vitrine media" in line and Path(line.rpartition("all of them: ")[2]).is_file()


@pytest.mark.parametrize("command", ["caption", "embed"])
def test_a_server_that_is_down_stops_the_job_and_keeps_the_store(run, store, tree, command):
    group, name = {"caption": ("captions", "captioner"), "embed": ("embedding", "embedder")}[command]
    where = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "retries": 0} | (
        {"dim": 4} if command == "embed" else {}
    )
    options = [f"{group}.{name}=openai", *(f"{group}.openai.{key}={value}" for key, value in where.items())]
    sets = [part for option in options for part in ("--set", option)]
    before = set(tree(store))
    assert "cannot be reached" in run(command, *sets, "--store", store).line
    assert {name for name in set(tree(store)) - before if not name.endswith(".lock")} == set()


@pytest.mark.parametrize("command", ["caption", "embed"])
def test_a_server_that_is_chosen_and_not_named_is_refused(run, store, command):
    chosen = {"caption": "captions.captioner=openai", "embed": "embedding.embedder=openai"}[command]
    assert "is missing; its base_url and model" in run(command, "--set", chosen, "--store", store).line.replace(
        ",", " and", 1
    )


def test_a_port_in_use_is_one_line(run, store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1: already in use" in run("serve", "--port", port, "--store", store).line


def test_an_open_address_without_keys_is_refused(run, store):
    assert "set VITRINE_API_KEYS" in run("serve", "--host", "0.0.0.0", "--port", "0", "--store", store).line


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "70000"],
        ["chat", "vase", "--top-n", "0"],
        ["train", "--as-of", "soon"],
        ["generate", "--seed", "-1"],
    ],
    ids=" ".join,
)
def test_an_option_out_of_range_is_a_usage_error(run, arguments):
    ran = run(*arguments)
    assert f"invalid value for '{arguments[-2]}' '{arguments[-1]}': " in ran.line
    assert f"vitrine {arguments[0]} --help shows what would be valid" in ran.line


def test_an_empty_message_is_refused(run, store):
    assert "message is empty" in run("chat", "", "--store", store).line


def test_a_boutique_too_small_is_refused_before_it_draws(run):
    assert "'boutique.n_items' is 3" in run("generate", "--set", "boutique.n_items=3", "--store", "store").line
    assert not Path("store").exists()


def test_the_key_of_an_llm_that_is_not_set_is_one_line(run, store):
    sets = ["--set", 'agent.llm={"base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key_env": "NOT_SET"}']
    assert "'NOT_SET', which is not set" in run("chat", "a vase", *sets, "--store", store).line
