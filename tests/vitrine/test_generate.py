"""`vitrine generate` never replaces another shop unasked; `vitrine index` says which items a space lacks."""

from __future__ import annotations

import pytest

from catalog.shop_data import load_shop
from catalog.workspace import Workspace

SMALL = (
    "--set", "boutique.n_items=48", "--set", "boutique.n_users=10", "--set", "boutique.n_events=60",
    "--set", "boutique.image_size=64", "--set", "boutique.video_size=64", "--set", "boutique.video_frames=2",
    "--set", "marketing.n_films=3", "--set", "marketing.n_impressions=50", "--set", "marketing.size=64",
    "--set", "marketing.rate=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def boutique(tmp_path_factory, run):
    store = tmp_path_factory.mktemp("boutique") / "store"
    assert run("generate", "--store", store, *SMALL).code == 0
    return store


def test_films_for_a_shop_of_other_settings_are_refused_with_the_settings_to_name(boutique, run, tree):
    before = tree(boutique)
    line = run("generate", "--marketing", "--store", boutique, *SMALL[2:], "--seed", "8").line
    assert "other settings: --set boutique.seed=7 --set boutique.n_items=48 (now 8, 720); those again" in line
    assert "vitrine generate --again" in line
    assert tree(boutique) == before
    films = run("generate", "--marketing", "--store", boutique, *SMALL)
    assert films.code == 0 and "marketing: 3 films, 50 impressions" in films.out


def test_a_shop_that_was_imported_is_replaced_only_when_asked(store, run):
    kept = load_shop(Workspace(store)).name
    line = run("generate", "--store", store, *SMALL).line
    assert f"holds {kept!r}, which was not generated; another --store would be valid" in line
    assert f"holds {kept!r}" in run("demo", "--store", store, *SMALL).line
    assert load_shop(Workspace(store)).name == kept
    assert run("generate", "--store", store, "--again", *SMALL).out.startswith("boutique: 48 products")
    assert load_shop(Workspace(store)).name == "boutique"


def test_an_index_says_how_many_items_it_lacks(store, run):
    catalog = store / "more.csv"
    catalog.write_text("item_id,title\n" + "".join(f"N{n},A thing number {n}\n" for n in range(4)))
    assert run("import", "table", "--items", catalog, "--store", store).code == 0
    said = run("index", "--store", store).out
    lines = {line.partition(":")[0]: line for line in said.splitlines()}
    assert (
        lines["indexes/keyword"].startswith("indexes/keyword: 4 items, built") and ";" not in lines["indexes/keyword"]
    )
    assert lines["indexes/text-minilm"].startswith("indexes/text-minilm: 0 items, built")
    assert lines["indexes/text-minilm"].endswith("; 4 of the catalogue's 4 are not in it")
