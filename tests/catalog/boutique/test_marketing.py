from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from catalog.boutique.generate import boutique_key
from catalog.boutique.marketing.config import MarketingConfig
from catalog.boutique.marketing.generate import (
    TRUTH,
    load_marketing_truth,
    plan_marketing,
    save_boutique_marketing,
)
from catalog.boutique.marketing.screenplay import Take
from catalog.boutique.marketing.truth import BIAS, GAIN, ORDER, SHARES, make_truth
from catalog.boutique.plan import Plan, plan
from catalog.marketing import load_marketing
from catalog.media import MediaLimits
from catalog.media.scenes import sample_clip
from catalog.workspace import Workspace

FEW = MarketingConfig(n_films=7, n_impressions=500, size=64, rate=4)


def digest(made: Plan) -> str:
    tables = (table.write_json().encode() for table in (made.shop.items, made.shop.log, made.shop.users))
    parts = [*tables, repr(made.pieces).encode(), made.truth.weights.tobytes(), made.truth.levels.tobytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def test_the_shop_is_the_same_with_and_without_films(small):
    made, before = plan(small), digest(plan(small))
    plan_marketing(made, small, FEW)
    assert digest(made) == before
    # As it was before there were films: a store made then is still current.
    assert boutique_key(small) == "7b9b387820ed3b8fc18f9c6633f7435eda32e47a235b62d1853fa8eb929b97d4"


def test_the_same_configuration_gives_the_same_films_whoever_draws(small, tmp_path):
    for name, workers in (("a", 1), ("b", 2)):
        save_boutique_marketing(Workspace(tmp_path / name), small, FEW, workers=workers)
    a, b = (Workspace(tmp_path / name) for name in ("a", "b"))
    videos = load_marketing(a).media["video"].to_list()
    assert len(videos) == 7
    assert all((a.root / each).read_bytes() == (b.root / each).read_bytes() for each in videos)
    for name in ("marketing", TRUTH):
        for file in a.path(name).iterdir():
            assert file.read_bytes() == (b.path(name) / file.name).read_bytes()
    assert load_marketing_truth(a).films["media_id"].to_list() == load_marketing(a).media["media_id"].to_list()


def test_films_that_stand_are_not_drawn_again_and_lost_ones_are(small, tmp_path):
    made = save_boutique_marketing(Workspace(tmp_path), small, FEW, workers=1)
    film = tmp_path / made.marketing.media["video"][0]
    drawn = film.stat().st_mtime_ns
    save_boutique_marketing(Workspace(tmp_path), small, FEW, workers=1)
    assert film.stat().st_mtime_ns == drawn
    film.unlink()
    save_boutique_marketing(Workspace(tmp_path), small, FEW, workers=1)
    assert film.is_file()


def test_a_film_shows_its_shots_for_as_long_as_the_screenplay_says(small, tmp_path):
    made = save_boutique_marketing(Workspace(tmp_path), small, FEW, workers=1)
    for film in made.films[:3]:
        seen = sample_clip(f"media/boutique-marketing/{film.media_id}.mp4", tmp_path, MediaLimits())
        assert seen.seconds == pytest.approx(film.frames / FEW.rate, abs=0.3)


@pytest.fixture(scope="module")
def many(full, small):
    return plan_marketing(full, small, MarketingConfig())


def test_click_through_follows_the_appeal(many):
    """Of the hundred and fifty films those of high appeal are clicked more, by about what the truth says."""
    counts = many.marketing.counts()
    rate = (counts["clicks"] / counts["impressions"]).to_numpy()
    appeal = many.truth.films["appeal"].to_numpy()
    top, low = rate[appeal > 1].mean(), rate[appeal < -1].mean()
    odds = np.log(top / (1 - top)) - np.log(low / (1 - low))
    wanted = GAIN * (appeal[appeal > 1].mean() - appeal[appeal < -1].mean())
    assert odds == pytest.approx(wanted, rel=0.25)
    assert rate.mean() == pytest.approx(1 / (1 + np.exp(-BIAS)), rel=0.5)


def test_order_counts_and_so_does_what_is_shown(many, full):
    """Turned round, a film keeps its composition and its product and scores otherwise in what is order."""
    backwards = [replace(film, takes=film.takes[::-1]) for film in many.films]
    ids, liking = [piece.item_id for piece in full.pieces], np.zeros((1, len(full.pieces)))
    turned, straight = (
        make_truth(films, ids, liking, 6, np.random.default_rng(0)).films for films in (backwards, many.films)
    )
    for name in SHARES:
        same = np.allclose(turned[name].to_numpy(), straight[name].to_numpy())
        assert same == (name not in ORDER), name


def test_shares_are_a_whole_of_which_order_is_half():
    assert sum(SHARES.values()) == pytest.approx(1)
    assert sum(SHARES[name] for name in ORDER) == pytest.approx(0.5)


def test_the_truth_of_one_film_by_hand(full):
    """Opening on a close-up, revealed after two thirds: hook and reveal are read off the first second and the first
    whole view. With two films a standardised part is plus or minus one."""
    film = plan_marketing(full, full_config(), MarketingConfig(n_films=1, n_impressions=0)).films[0]
    kept = replace(film, takes=(Take("detail", 0, 6), Take("set", 0, 6), Take("hero", 0, 6)))
    told = replace(film, takes=(Take("hero", 0, 6), Take("set", 0, 6), Take("detail", 0, 6)))
    truth = make_truth([kept, told], ["v"], np.zeros((1, 1 + max(film.pieces))), 6, np.random.default_rng(0)).films
    assert {name: truth[name].round(9).to_list() for name in ("hook", "reveal", "ending", "composition")} == {
        "hook": [1, -1], "reveal": [1, -1], "ending": [1, -1], "composition": [0, 0],
    }  # fmt: skip


def full_config():
    from catalog.boutique.config import BoutiqueConfig

    return BoutiqueConfig(seed=11)
