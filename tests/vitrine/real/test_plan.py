"""What `vitrine real` says before it does anything, and what it refuses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from captioning.seeing_server import SeeingServer
from catalog.fetching.amazon_2023 import SIZES
from embedding.scripted_server import EmbeddingServer
from vitrine.real.checkpoints import checkpoint
from vitrine.real.config import RealConfig
from vitrine.real.counts import Counts
from vitrine.real.estimate import Downloads, estimate
from vitrine.real.scripted_category import category_host

STAND_IN = f"real.vllm={json.dumps([sys.executable, '-m', 'vitrine.real.scripted_vllm', 'serve'])}"
ROW = re.compile(r"^(\w+) .*?([\d.,]+) +([\d.,]+) +([\d.,]+) +([\d.,]+)$", re.MULTILINE)


def rows(said: str) -> dict[str, tuple[float, ...]]:
    return {row[0]: tuple(float(cell.replace(",", "")) for cell in row[1:]) for row in ROW.findall(said)}


def test_the_published_sizes_add_up_to_what_is_published():
    assert sum(size.reviews for size in SIZES.values()) == pytest.approx(571.54e6, rel=0.001)
    assert sum(size.items for size in SIZES.values()) == pytest.approx(48.19e6, rel=0.005)


def test_without_yes_the_plan_is_printed_and_nothing_is_brought(run, tmp_path):
    with category_host("Gift_Cards") as host:
        ran = run("real", "Gift_Cards", "--from", host.url(""))
        assert ran.code == 0 and not host.asked
    assert "amazon-2023/Gift_Cards" in ran.out and "at most 220 items, 53,340 events, 220 pictures" in ran.out
    assert "terms     Amazon Reviews (no licence stated)" in ran.out
    assert "pixels, built in" in ran.out and "minilm, built in" in ran.out and "planner, built in" in ran.out
    assert ran.out.splitlines()[-1].startswith("This is the plan; nothing was brought. --yes ")
    table = rows(ran.out)
    assert list(table) == [
        "fetch",
        "models",
        "import",
        "media",
        "caption",
        "embed",
        "index",
        "train",
        "evaluate",
        "all",
    ]
    assert table["all"] == tuple(
        pytest.approx(sum(row[column] for name, row in table.items() if name != "all"), abs=0.05) for column in range(4)
    )
    assert table["media"][0] == pytest.approx(220 * 150_000 / 1e9, abs=0.01)
    assert not list(tmp_path.iterdir())


def test_figures_follow_from_counts_rates_and_sizes(tmp_path):
    shape = {"num_hidden_layers": 36, "num_attention_heads": 32, "hidden_size": 2560, "vision_config": {}}
    models = {"captions": checkpoint("eyes", shape, int(2 * 8.3e9)), "embeddings": checkpoint("words", shape, int(8e9))}
    counts = Counts(10_000, 1_000_000, 20_000, 0, 20_000, 200, "as published", True)
    downloads = Downloads(10**9, 25 * 10**9, tmp_path, tmp_path)
    config = RealConfig(megabits=100, cores=2)
    lines = {
        line.step: line for line in estimate(counts, models, frozenset({"agent"}), downloads, config, tmp_path, gpus=2)
    }
    assert lines["models"].seconds == 25e9 * 8 / 100e6
    assert lines["caption"].seconds == pytest.approx(20_000 / 8.74 / 2)  # as large as the model of the rate, two GPUs
    assert (lines["caption"].read, lines["caption"].written) == (20_000 * 750, 20_000 * 100)
    assert lines["embed"].disk == 2 * 20_000 * (4 * 2560 + 80)  # texts and captions, kept as parts and as a space
    assert lines["evaluate"].seconds == pytest.approx(60 * 1_000_000 / (10_000_000 / 237))
    assert lines["train"].seconds == 2 * lines["evaluate"].seconds


def test_a_disk_that_is_too_small_is_refused_with_figures(run, tmp_path):
    with category_host("Books") as host:
        given = ("real", "Books", "--from", host.url(""), "--set", "real.keep_free_gb=1000000000")
        plan = run(*given)
        line = run(*given, "--yes").line
        assert not host.asked
    assert plan.code == 0 and "in the way: the disk of " in plan.out
    # Books: a fifth of 4.4 million items, a picture of 150 kB each, are 132 GB and the most of it.
    found = re.search(
        r"is too small: ([\d.]+) GB are to come and 1e\+09 GB stay free \(real.keep_free_gb\), [\d.,]+ GB are free, "
        r"[\d,]+\.\d GB are missing; another --store",
        line,
    )
    assert found and 132 < float(found[1]) < 160


def test_no_gpu_and_no_vllm_are_in_the_way_before_anything_is_brought(run, tmp_path, checkpoints, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = checkpoints["tiny/Qwen-Chat"]
    with category_host("Gift_Cards") as host:
        given = ("real", "Gift_Cards", "--from", host.url(""), "--llm", folder)
        assert "--llm name models for a server, and nvidia-smi finds no GPU here" in run(*given, "--yes").line
        line = run(*given, "--yes", "--set", "real.gpu_gb=24").line
        assert line.startswith("'vllm' is neither beside this Python nor on the PATH; pip install vllm==0.32.0")
        assert not host.asked


def test_a_model_that_does_not_fit_is_in_the_way_with_figures(run, checkpoints):
    folder = checkpoints["tiny/Qwen-Chat"]
    line = run("real", "Gift_Cards", "--llm", folder, "--yes", "--set", "real.gpu_gb=2", "--set", STAND_IN).line
    assert re.search(r"^chat needs 2\.5 GB of GPU memory, and 1 of 2 GB give 1\.8; a smaller model", line)


def test_running_servers_are_asked_what_they_serve(run):
    with SeeingServer(model="eyes") as seeing, EmbeddingServer(24) as words, category_host("Gift_Cards") as host:
        words.models = ("small", "large")
        given = ("real", "Gift_Cards", "--from", host.url(""), "--captioner", seeing.base_url)
        plan = run(*given, "--embedder", f"{words.base_url}#large")
        assert f"captions    eyes at {seeing.base_url}, already running" in plan.out
        assert f"embeddings  large at {words.base_url}, already running, vectors 24 wide" in plan.out
        assert "serves small, large; one of them after '#', as in" in run(*given, "--embedder", words.base_url).line
    assert "does not answer at /models" in run("real", "Gift_Cards", "--llm", "http://127.0.0.1:9/v1").line


def test_a_captioner_without_eyes_is_refused(run, checkpoints):
    line = run("real", "Gift_Cards", "--captioner", checkpoints["tiny/Qwen-Embedding"]).line
    assert "takes no pictures (its config.json has no vision_config)" in line


def test_unknown_data_is_one_line_with_the_nearest(run, tmp_path):
    assert "no category of Amazon Reviews 2023. Did you mean 'All_Beauty'?" in run("real", "All_Beaty").line
    (tmp_path / "empty").mkdir()
    assert "holds nothing that is known; <Category>.jsonl.gz" in run("real", "empty").line


def test_a_folder_of_tables_is_counted_and_a_foreign_store_is_left_alone(run, files, store):
    plan = run("real", files)
    assert plan.code == 0 and "at most 6 items, 40 events, 6 pictures" in plan.out
    line = run("real", files, "--yes", "--store", store, "--no-serve").line
    assert "holds a catalogue that this road did not import; another --store" in line


def test_a_folder_of_a_category_is_sampled(run, tmp_path):
    with category_host("Soap") as host:
        host_files = {
            "Soap.jsonl.gz": host.acts["/raw/review_categories/Soap.jsonl.gz"],
            "meta_Soap.jsonl.gz": host.acts["/raw/meta_categories/meta_Soap.jsonl.gz"],
        }
    Path("soap").mkdir()
    for name, reply in host_files.items():
        (tmp_path / "soap" / name).write_bytes(reply.body)
    said = run("real", "soap").out
    assert "at most 24 items, 240 events, 24 pictures, 0 videos (sampled from the files here, after 5-core)" in said


def test_settings_of_a_server_are_taken_before_its_address_is_known(run, checkpoints):
    given = ("real", "Gift_Cards", "--llm", checkpoints["tiny/Qwen-Chat"], "--set", "real.gpu_gb=24")
    assert run(*given, "--set", "agent.llm.temperature=0.5", "--set", "captions.openai.seed=3").code == 0
    assert (
        "'agent.llm.temperature' is -1 (from the command line)" in run(*given, "--set", "agent.llm.temperature=-1").line
    )


def test_a_hub_that_cannot_be_asked_leaves_the_plan_of_what_is_known(run, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with category_host("Gift_Cards") as host:
        given = ("real", "Gift_Cards", "--from", host.url(""), "--captioner", "Qwen/Qwen3-VL-8B")
        plan = run(*given, "--set", f"real.models={json.dumps(str(tmp_path / 'cache'))}", "--set", "real.gpu_gb=80")
        line = run(*given, "--yes", "--set", "real.gpu_gb=80").line
        here = run(*given).out
    assert plan.code == 0 and "at most 220 items" in plan.out
    assert "as if 8.3 B parameters on a GPU" in here  # so the rate that is named is the GPU's, without a GPU too
    assert "captions: 8.74 captions per second per gpu, published" in here and "a core with AVX2" not in here
    assert (
        "captions    Qwen/Qwen3-VL-8B: size and licence unknown, since http://127.0.0.1:9 cannot be asked" in plan.out
    )
    assert "without Qwen/Qwen3-VL-8B: size unknown" in plan.out and "0.00 + ?" in plan.out
    assert "Qwen/Qwen3-VL-8B, size unknown: as if 8.3 B parameters on a GPU" in plan.out
    obstacle = "'Qwen/Qwen3-VL-8B' is not in the model cache and http://127.0.0.1:9 cannot be reached"
    assert f"in the way: --captioner {obstacle}" in plan.out and line.startswith(f"--captioner {obstacle}")


@pytest.mark.parametrize("named", ["", "  "])
def test_an_empty_name_is_not_this_folder(run, named):
    assert f"data {named!r} names nothing" in run("real", named).line
    assert (
        f"--captioner {named!r} is no folder here and no name" in run("real", "Gift_Cards", "--captioner", named).line
    )


def test_no_rate_claims_to_be_measured_on_this_machine(run):
    said = run("real", "Gift_Cards").out
    assert "measured here" not in said and "measured by Vitrine's makers on two cores" in said
