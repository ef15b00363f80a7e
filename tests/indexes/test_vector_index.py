"""Approximate indexes against brute force, on vectors in clusters, behind every kind of filter."""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.nearest import gpus, library, nearest_rows
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes import exact
from indexes.base import Query
from indexes.config import HnswConfig, IvfPqConfig, Kind, VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.hnsw import HnswIndex
from indexes.opening import KINDS, build_vectors, open_vectors_index
from indexes.scan import ScanIndex
from indexes.vector_index import VectorIndex

N, D, K = 20_000, 16, 20
RNG = np.random.default_rng(5)
CENTRES = RNG.normal(size=(100, D))
CLUSTER = RNG.integers(0, 100, N)


def drawn(clusters: np.ndarray, seed: int) -> Floats:
    noise = np.random.default_rng(seed).normal(size=(len(clusters), D))
    return np.asarray(CENTRES[clusters] + 0.7 * noise, np.float32)


VECTORS = drawn(CLUSTER, 1)
TABLE = EmbeddingTable(IdMap(f"i{n}" for n in range(N)), VECTORS, "clusters")
WISHES = drawn(RNG.integers(0, 100, 40), 2)
CONFIG = VectorIndexConfig(hnsw=HnswConfig(ef_construction=60), ivf_pq=IvfPqConfig(numbers_per_byte=2))
FILTERS: dict[str, Mask | None] = {
    "none": None,
    "half": RNG.random(N) < 0.5,
    "a twentieth": RNG.random(N) < 0.05,
    "one in 200": RNG.random(N) < 0.005,
    "a third, by cluster": CLUSTER < 33,
    "one cluster": CLUSTER == 7,
    "three rows": np.isin(np.arange(N), [3, 5, 7]),
}
kinds = pytest.mark.parametrize("kind", ["scan", "hnsw", "ivf_pq"])


@pytest.fixture(scope="module")
def built() -> dict[str, VectorIndex]:
    return {kind: KINDS[kind].build(TABLE, CONFIG) for kind in ("flat", "scan", "hnsw", "ivf_pq")}  # type: ignore[index]


def cosines(wishes: Floats) -> np.ndarray:
    rows = VECTORS.astype(np.float64) / np.linalg.norm(VECTORS.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(wishes / np.linalg.norm(wishes, axis=1, keepdims=True) @ rows.T)


def nearest(allowed: Mask | None) -> list[set[int]]:
    scores = cosines(WISHES)
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    return [{int(row) for row in np.argsort(-each, kind="stable")[:K] if each[row] > -np.inf} for each in scores]


@kinds
@pytest.mark.parametrize("name", FILTERS)
def test_recall_holds_behind_any_filter(kind: str, name: str, built: dict[str, VectorIndex]) -> None:
    allowed = FILTERS[name]
    hits = wanted = 0
    for wish, true in zip(WISHES, nearest(allowed), strict=True):
        found = {TABLE.ids.row(c.item_id) for c in built[kind].search(Query(vector=wish), K, allowed=allowed)}
        assert allowed is None or all(allowed[row] for row in found)
        hits, wanted = hits + len(found & true), wanted + len(true)
    assert hits / wanted >= 0.95


@kinds
@pytest.mark.parametrize("name", ["none", "half"])
def test_the_index_itself_answers_here_and_not_an_exact_search(
    kind: str, name: str, built: dict[str, VectorIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "candidates", lambda *_: pytest.fail("searched exactly"))
    built[kind].search(Query(vector=WISHES[0]), 10, allowed=FILTERS[name])


@pytest.mark.parametrize("kind", ["flat", "scan", "hnsw", "ivf_pq"])
@pytest.mark.parametrize("name", FILTERS)
def test_many_at_once_find_what_one_by_one_do(kind: str, name: str, built: dict[str, VectorIndex]) -> None:
    allowed = FILTERS[name]
    many = built[kind].search_many(WISHES, K, allowed=allowed)
    assert many.rows.shape == many.scores.shape == (len(WISHES), K)
    for number, wish in enumerate(WISHES):
        one = built[kind].search(Query(vector=wish), K, allowed=allowed)
        there = many.rows[number] >= 0
        assert TABLE.ids.at(many.rows[number][there]) == [c.item_id for c in one]
        assert many.scores[number][there].tolist() == [c.score for c in one]
        assert (many.scores[number][~there] == -np.inf).all()


@kinds
def test_scores_are_true_cosines(kind: str, built: dict[str, VectorIndex]) -> None:
    scores = cosines(WISHES[:1])[0]
    for each in built[kind].search(Query(vector=WISHES[0]), K):
        assert each.score == pytest.approx(scores[TABLE.ids.row(each.item_id)], abs=1e-6)


def test_half_vectors_give_cosines_to_three_places(tmp_path: Path) -> None:
    config = VectorIndexConfig(kind="ivf_pq", ivf_pq=IvfPqConfig(numbers_per_byte=2, vectors="half"))
    index = build_vectors(TABLE, config)
    index.save(tmp_path)
    assert (tmp_path / "vectors.npy").stat().st_size < N * D * 2 + 200
    scores = cosines(WISHES[:1])[0]
    for each in open_vectors_index(tmp_path).search(Query(vector=WISHES[0]), K):
        assert each.score == pytest.approx(scores[TABLE.ids.row(each.item_id)], abs=1e-3)


@pytest.mark.parametrize("kind", ["flat", "scan", "hnsw", "ivf_pq"])
def test_two_builds_are_the_same_bytes_and_what_is_loaded_answers_the_same(
    kind: Kind, built: dict[str, VectorIndex], tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, index in zip(folders, [built[kind], KINDS[kind].build(TABLE, CONFIG)], strict=True):
        folder.mkdir()
        index.save(folder)
    assert sorted(p.name for p in folders[0].iterdir()) == sorted(p.name for p in folders[1].iterdir())
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name
    loaded = open_vectors_index(folders[0])
    assert type(loaded) is KINDS[kind] and loaded.config == built[kind].config
    for allowed in (None, FILTERS["half"]):
        before, after = (i.search_many(WISHES, K, allowed=allowed) for i in (built[kind], loaded))
        assert (before.rows == after.rows).all() and (before.scores == after.scores).all()


def test_heaps_of_equal_vectors_do_not_cut_the_graph() -> None:
    # A quarter of the shop shares two vectors: linked to each other alone they would hide what lies behind them.
    vectors = VECTORS.copy()
    vectors[:2500], vectors[2500:5000] = vectors[0], vectors[2500]
    index = HnswIndex.build(EmbeddingTable(TABLE.ids, vectors, "heaps"), CONFIG)
    flat = FlatIndex.build(EmbeddingTable(TABLE.ids, vectors, "heaps"))
    wishes = np.concatenate([WISHES, vectors[[0, 2500]] + 0.05 * WISHES[:2]])
    for allowed in (None, FILTERS["half"]):
        true, found = (i.search_many(wishes, K, allowed=allowed) for i in (flat, index))
        assert (found.scores >= true.scores[:, -1:] - 1e-6).mean() >= 0.95
    assert [c.item_id for c in index.search(Query(vector=vectors[0]), 3)] == ["i0", "i1", "i2"]


@pytest.mark.parametrize(
    ("rows", "dim", "kind"),
    [(10_000, 64, "flat"), (200_000, 64, "scan"), (2 * 10**6, 64, "hnsw"), (10**7, 64, "ivf_pq")],
)
def test_auto_goes_by_size(rows: int, dim: int, kind: str) -> None:
    assert VectorIndexConfig().choose(rows, dim) == kind
    assert VectorIndexConfig(kind="hnsw").choose(rows, dim) == "hnsw"


@pytest.mark.parametrize("kind", ["scan", "hnsw", "ivf_pq"])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_next_to_nothing_can_be_indexed(kind: Kind, n: int, tmp_path: Path) -> None:
    table = EmbeddingTable(IdMap("abcde"[:n]), VECTORS[:n, :7], "few")
    index = build_vectors(table, VectorIndexConfig(kind=kind))
    index.save(tmp_path)
    for each in (index, open_vectors_index(tmp_path)):
        assert len(each.search(Query(vector=VECTORS[0, :7]), 9)) == n
        assert each.search_many(VECTORS[:2, :7], 9).rows.shape == (2, 9)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("scan", "index.faiss"), ("hnsw", "index.faiss"), ("ivf_pq", "index.faiss"), ("flat", "vectors.npy")],
)
def test_a_file_cut_off_is_refused(kind: Kind, name: str, built: dict[str, VectorIndex], tmp_path: Path) -> None:
    built[kind].save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for length in (len(whole) // 2, 40, 0):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises((DataError, ValueError, EOFError)):
            open_vectors_index(tmp_path)


def test_an_unknown_kind_on_disk_is_named(built: dict[str, VectorIndex], tmp_path: Path) -> None:
    built["flat"].save(tmp_path)
    meta = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**meta, "kind": "annoy"}))
    with pytest.raises(DataError, match="kind 'annoy'; flat, scan, hnsw, ivf_pq"):
        open_vectors_index(tmp_path)


def test_a_gpu_that_is_not_there_is_told() -> None:
    if gpus():
        pytest.skip("there is a GPU here")
    index = FlatIndex.build(TABLE, VectorIndexConfig(batch_device="gpu"))
    with pytest.raises(ConfigError, match="FAISS sees no GPU"):
        index.search_many(WISHES, K)
    assert index.search(Query(vector=WISHES[0]), K)  # one query is never a GPU's
    auto = FlatIndex.build(TABLE, VectorIndexConfig(batch_device="auto"))
    assert (auto.search_many(WISHES, K).rows == FlatIndex.build(TABLE).search_many(WISHES, K).rows).all()


def test_a_gpu_finds_what_the_cpu_does(built: dict[str, VectorIndex]) -> None:
    if not gpus():
        pytest.skip("no GPU that FAISS can use")
    index = HnswIndex(TABLE.ids, built["hnsw"].stored, "s", "s", VectorIndexConfig(batch_device="gpu"), None)
    for allowed in (None, FILTERS["half"]):
        there, here = (i.search_many(WISHES, K, allowed=allowed) for i in (index, built["flat"]))
        assert (there.rows == here.rows).all()
        np.testing.assert_allclose(there.scores, here.scores, atol=1e-6)


def test_a_knn_graph_is_the_brute_force_one() -> None:
    unit = VECTORS[:500] / np.linalg.norm(VECTORS[:500], axis=1, keepdims=True)
    scores, rows = nearest_rows(unit, unit, 5)
    true = unit @ unit.T
    assert (rows == np.argsort(-true, axis=1, kind="stable")[:, :5]).all()
    np.testing.assert_allclose(scores, -np.sort(-true, axis=1)[:, :5], atol=1e-5)


@pytest.mark.parametrize(
    "wrong", [{"scan": {"spare": "inf"}}, {"hnsw": {"breadth": "inf"}}, {"ivf_pq": {"refine": "inf"}}]
)
def test_an_endless_search_is_no_setting(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1000"):
        VectorIndexConfig.model_validate(wrong)


def test_a_share_of_a_scan_finds_most_and_scores_them_truly(built: dict[str, VectorIndex]) -> None:
    hits = 0
    for wish, true in zip(WISHES, nearest(None), strict=True):
        rows, scores = built["scan"].search_rows(wish, K, share=0.25)
        assert scores.tolist() == pytest.approx(cosines(wish[None])[0][rows].tolist(), abs=1e-6)
        assert len(rows) == K and (np.diff(scores) <= 0).all()
        hits += len(set(rows.tolist()) & true)
    assert 0.8 * K * len(WISHES) <= hits < K * len(WISHES)


def test_a_scan_of_before_there_were_lists_is_looked_at_whole() -> None:
    built = ScanIndex.build(TABLE, CONFIG)
    codes = library().index_factory(D, f"PQ{D}x4fs", library().METRIC_INNER_PRODUCT)
    codes.train(VECTORS[:5000])
    codes.add(built.stored.vectors)
    old = ScanIndex(TABLE.ids, built.stored, "clusters", "clusters", CONFIG, codes)
    assert old.search_rows(WISHES[0], K, share=0.1)[0].tolist() == old.search_rows(WISHES[0], K)[0].tolist()


def test_rows_that_will_be_dropped_are_found_beside_those_wanted(built: dict[str, VectorIndex]) -> None:
    for kind in ("flat", "scan", "hnsw", "ivf_pq"):
        rows, scores = built[kind].search_rows(WISHES[0], K, beside=7)
        assert len(rows) == K + 7 and (np.diff(scores) <= 0).all()
        assert len(nearest(None)[0] & set(rows[:K].tolist())) >= 0.9 * K
