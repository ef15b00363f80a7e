from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from captioning.seeing_server import SeeingServer
from catalog.findings import Finding
from embedding.scripted_server import EmbeddingServer
from vitrine.doctor import examine
from vitrine.settings import load_settings


def findings(overrides: dict[str, object], probe: bool | None = False) -> dict[str, Finding]:
    return {finding.subject.strip(): finding for finding in examine(load_settings(overrides), probe)}


def captions(base_url: str, **more: object) -> dict[str, object]:
    return {"captions": {"captioner": "openai", "openai": {"base_url": base_url, "model": "seeing"}, **more}}


def llm(base_url: str, **more: object) -> dict[str, object]:
    return {"agent": {"llm": {"base_url": base_url, "model": "shopkeeper", **more}}}


class Models(BaseHTTPRequestHandler):
    """Says which models it serves, and remembers the keys it was shown."""

    keys: tuple[str, ...] = ()

    def do_GET(self) -> None:
        Models.keys = (*Models.keys, self.headers.get("Authorization", ""))
        status, body = (200, {"data": [{"id": "shopkeeper"}]}) if self.path == "/v1/models" else (404, {})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Models.keys = ()
    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()
        thread.join()


def test_an_empty_store_is_no_fault_and_every_stage_names_its_command():
    found = findings({"store": "none"})
    assert found["catalog"] == Finding("note", "  catalog", "none yet: run vitrine generate or vitrine import")
    assert found["models"].text == "none yet: run vitrine train"
    assert found["recommender by"].text == "popularity (no model is trained)"
    assert found["faiss"].level == "ok" and found["mind by"].text == "planner"
    assert not [finding for finding in found.values() if finding.level == "bad"]


def test_a_finished_store_says_what_it_holds(life):
    found = findings({"store": str(life.store)})
    assert found["catalog"].text == "items: 6 items, 8 shoppers, 40 events"
    assert found["embeddings"].text == "attributes, caption-pixels-minilm, text-minilm"
    assert found["reports"].text == "mmrec-last"
    assert found["recommender by"].text == "lirdrec@1"
    assert found["vectors by"].text == "flat (caption-pixels-minilm, text-minilm)"


@pytest.mark.parametrize("damaged", ["catalog/manifest.json", "embeddings/text-minilm/manifest.json"])
def test_a_damaged_manifest_is_a_bad_finding(store, damaged):
    (store / damaged).write_text("{")
    bad = [finding for finding in examine(load_settings({"store": str(store)})) if finding.level == "bad"]
    assert bad and all(finding.mark == "BAD" for finding in bad)
    assert "is no manifest: remove" in bad[0].text


def test_a_damaged_catalogue_is_a_bad_finding(store):
    next(store.glob("catalog/*/items.parquet")).write_bytes(b"junk")
    assert "items.parquet' has 4 bytes, and had" in findings({"store": str(store)})["catalog"].text


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("embeddings/text-minilm/*/vectors.npy", "vitrine embed"),
        ("indexes/text-minilm/*/vectors.npy", "vitrine index"),
        ("indexes/keyword/*/weights.npy", "vitrine index"),
        ("captions/pixels/*/captions.parquet", "vitrine caption"),
    ],
)
def test_files_with_other_bytes_in_them_are_a_bad_finding(store, pattern, command):
    [path] = store.glob(pattern)
    held = path.read_bytes()
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))  # as long as before, and it loads
    found = findings({"store": str(store)})[pattern.partition("/")[0]]
    assert found.level == "bad"
    assert f"{path.name}' is not what was written" in found.text and f"run {command} again" in found.text


def test_a_store_that_is_a_file_is_a_bad_finding(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in findings({"store": "file"})["store"].text


def test_a_server_that_serves_the_model_is_well(server, monkeypatch):
    monkeypatch.setenv("VITRINE_LLM_API_KEY", "hush")
    found = findings(llm(f"{server}/v1", api_key_env="VITRINE_LLM_API_KEY"))["LLM server"]
    assert (found.level, found.text) == ("ok", f"shopkeeper at {server}/v1")
    assert Models.keys == ("Bearer hush",)


def test_a_server_with_other_models_or_none_or_silent_is_not(server):
    other = {"agent": {"llm": {"base_url": f"{server}/v1", "model": "clerk"}}}
    assert "serves shopkeeper, not 'clerk'" in findings(other)["LLM server"].text
    assert "does not answer" in findings(llm(f"{server}/v2"))["LLM server"].text
    silent = findings(llm("http://127.0.0.1:9/v1"))["LLM server"]
    assert silent.level == "bad" and "the planner will stand in" in silent.text


def test_a_missing_key_is_a_finding_not_a_crash():
    found = findings(llm("http://127.0.0.1:9/v1", api_key_env="NOT_SET"))["LLM server"]
    assert found.level == "bad" and "'NOT_SET'" in found.text


def test_caption_and_embedding_servers_are_asked_as_well(server):
    found = findings(
        {
            "captions": {"captioner": "openai", "openai": {"base_url": f"{server}/v1", "model": "shopkeeper"}},
            "embedding": {"embedder": "openai", "openai": {"base_url": f"{server}/v1", "model": "other", "dim": 4}},
        }
    )
    assert found["caption server"].level == "ok"
    assert "not 'other'" in found["embedding server"].text


def test_models_behind_servers_prove_what_their_jobs_need(run, store):
    with SeeingServer() as server, EmbeddingServer(dim=16) as vectors:
        vectors.models = ("m",)
        found = findings(
            {
                **captions(server.base_url),
                "agent": {"llm": {"base_url": server.base_url, "model": "seeing"}},
                "embedding": {"embedder": "openai", "openai": {"base_url": vectors.base_url, "model": "m", "dim": 16}},
            },
            probe=None,
        )
        checks = ["caption pictures", "caption frames", "caption schema", "LLM streaming", "LLM tools", "LLM schema"]
        assert [found[check].level for check in checks] == ["ok"] * 6
        assert "embedding meaning" in found and "cosine" in found["embedding meaning"].text
        sets = ("captions.captioner=openai", f'captions.openai={{"base_url": "{server.base_url}", "model": "seeing"}}')
        options = [part for text in sets for part in ("--set", text)]
        assert run("doctor", "--store", store, *options).code == 0
        server.fault = "blind"
        ran = run("doctor", "--store", store, *options)
        assert ran.code == 1 and "BAD    caption pictures" in ran.out and "did not see the picture" in ran.out
        asked = len(server.requests)
        assert run("doctor", "--store", store, "--no-probe", *options).code == 0
        assert len(server.requests) == asked


def test_a_text_server_is_asked_for_no_picture():
    with SeeingServer("no calls") as server:
        found = findings({"agent": {"llm": {"base_url": server.base_url, "model": "seeing"}}}, probe=None)
    assert found["LLM tools"].level == "bad" and "--enable-auto-tool-choice" in found["LLM tools"].text
    assert not any("image_url" in str(request["messages"]) for request in server.requests)


def test_captions_without_a_probe_are_a_note_unless_it_is_asked_for():
    with SeeingServer() as server:
        off = captions(server.base_url, probe="off")
        assert findings(off, probe=None)["caption probe"].text == 'not asked whether it sees: captions.probe is "off"'
        assert server.requests == []
        assert findings(off, probe=True)["caption pictures"].level == "ok"


@pytest.mark.parametrize(("group", "part"), [("captions", "captioner"), ("embedding", "embedder")])
def test_a_server_that_is_chosen_and_not_configured_is_a_bad_finding(group, part):
    found = findings({group: {part: "openai"}})["jobs"]
    assert found.level == "bad" and f"{group}.openai is missing" in found.text


def test_the_command_ends_with_one_when_something_is_bad(run, store):
    assert run("doctor", "--store", store).code == 0
    (store / "catalog" / "manifest.json").write_text("[]")
    ran = run("doctor", "--store", store)
    assert ran.code == 1 and "BAD" in ran.out and "Traceback" not in ran.err


def test_reports_of_the_caption_scoreboard_are_named(store, run):
    (store / "reports" / "captions").mkdir(parents=True, exist_ok=True)
    (store / "reports" / "captions" / "last.json").write_text("{}")
    [line] = [line for line in run("doctor", "--store", store).out.splitlines() if line.split()[1] == "reports"]
    assert "captions/last" in line


def test_remedies_name_the_store_that_was_given(run, tmp_path):
    store = tmp_path / "my shop"
    ran = run("doctor", "--store", store)
    told = next(line for line in ran.out.splitlines() if line.split()[1:2] == ["catalog"])
    assert told.endswith(f"run vitrine generate --store '{store}' or vitrine import --store '{store}'")
    assert f"vitrine train --store '{store}'" in ran.out
    assert "--store" not in run("doctor").out
