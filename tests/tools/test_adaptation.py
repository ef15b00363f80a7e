"""The next answer knows what happened since the model was fitted, of shoppers and of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import Interactions
from catalog.nouns import Interaction, Item, Kind
from catalog.vectors import EmbeddingTable
from indexes.fields import item_fields
from models.base import Recommender, TrainingData
from models.registry import build
from tools.base import Shopper, ToolContext
from tools.doubles import TOY_NOW, HashingEmbedder, toy_shop
from tools.pipeline.session import session_of
from tools.pipeline.taste_scores import taste_scores
from tools.registry import Registry
from tools.shop import Shop
from tools.taste import VISIT, taste_of

NEW = Item("V99", None, "Cobalt glass bud vase, tall", "A slim vase for one stem, mouth-blown.", 26.0, "EUR", "Glasgar",
           ("home", "vases"), {"colour": ("blue",), "material": ("glass",)}, availability=True)  # fmt: skip


def fitted(shop: Shop, name: str) -> Recommender:
    """Each of five groups of shoppers takes one category; `vera` took vases alone."""
    items = shop.catalog.ids
    rng = np.random.default_rng(2)
    kinds = {kind: [i for i in items if shop.catalog[i].categories[-1] == kind]
             for kind in ("vases", "lamps", "scarves", "bags", "mugs")}  # fmt: skip
    pairs = [
        (f"{kind}-{n}", item) for kind, mine in kinds.items() for n in range(8) for item in mine if rng.random() < 0.7
    ]
    pairs += [("vera", item) for item in ("V01", "V02", "V03")]
    users = IdMap(dict.fromkeys(user for user, _ in pairs), "user")
    user_rows, item_rows = ([side.row(pair[n]) for pair in pairs] for n, side in enumerate((users, items)))
    stamps = np.arange(len(pairs), dtype=np.int64)
    train = Interactions(users, items, np.array(user_rows, np.int32), np.array(item_rows, np.int32), stamps)
    model = build(name, {"regularisation": 2.0})
    model.fit(TrainingData(train, dict(shop.spaces) if name == "content_linear" else {}))
    return model


@pytest.fixture(params=["ease", "content_linear", "als"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop = toy_shop(tmp_path)
    yield replace(shop, recommender=fitted(shop, request.param))
    shop.events.close()


def put(shop: Shop, user: str, item_id: str, kind: Kind, ago: timedelta = timedelta(seconds=5)) -> None:
    shop.events.put([Interaction(f"{user}{item_id}{kind}", user, item_id, TOY_NOW - ago, kind)])


def scores(shop: Shop, shopper: Shopper) -> npt.NDArray[np.float32]:
    found = taste_scores(shop, shopper, taste_of(shop, shopper, TOY_NOW)).values
    return np.asarray((found - found.mean()) / found.std(), np.float32)


def mean_of(shop: Shop, values: npt.NDArray[np.float32], kind: str) -> float:
    return float(np.mean([v for v, item in zip(values, shop.catalog, strict=True) if item.categories[-1] == kind]))


@pytest.mark.parametrize("user", ["vera", "nobody"])
def test_an_event_of_this_minute_changes_the_next_answer(served: Shop, user: str) -> None:
    before = scores(served, Shopper(user))
    put(served, user, "L01", "purchase")
    after = scores(served, Shopper(user))
    assert mean_of(served, after, "lamps") > mean_of(served, before, "lamps")


def test_a_dislike_of_this_minute_pushes_its_like_down(served: Shop) -> None:
    before = scores(served, Shopper("vera"))
    put(served, "vera", "V05", "dismiss")
    after = scores(served, Shopper("vera"))
    assert mean_of(served, after, "vases") < mean_of(served, before, "vases")


def test_the_visit_at_hand_counts_more_than_one_of_last_week(served: Shop) -> None:
    put(served, "vera", "L01", "purchase", ago=timedelta(days=7))
    earlier = scores(served, Shopper("vera"))
    put(served, "ursa", "L01", "purchase")
    put(served, "vera", "L06", "purchase", ago=timedelta(days=7, seconds=1))
    assert taste_of(served, Shopper("vera"), TOY_NOW).visit == ()
    put(served, "vera", "L02", "purchase", ago=VISIT - timedelta(seconds=1))
    assert taste_of(served, Shopper("vera"), TOY_NOW).visit == ("L02",)
    whole = replace(served, pipeline=served.pipeline.model_copy(update={"visit_share": 0.0}))
    now, without = scores(served, Shopper("vera")), scores(whole, Shopper("vera"))
    assert mean_of(served, now, "lamps") > mean_of(served, without, "lamps") > mean_of(served, earlier, "lamps")


def test_what_was_looked_at_and_not_taken_gets_a_second_look(served: Shop) -> None:
    put(served, "vera", "M04", "view")
    row = served.catalog.ids.row("M04")
    never = replace(served, pipeline=served.pipeline.model_copy(update={"second_look": 0.0}))
    assert scores(served, Shopper("vera"))[row] > scores(never, Shopper("vera"))[row]
    put(served, "vera", "M04", "cart", ago=timedelta(seconds=1))
    carted = scores(served, Shopper("vera"))[row], scores(never, Shopper("vera"))[row]
    assert carted[0] == carted[1], "what lies in the cart needs no second look"


def with_new_item(shop: Shop) -> Shop:
    """The shop after an item came in, with its text and vectors; model and indexes are those of before."""
    catalog = Catalog([*shop.catalog, NEW])
    vector = HashingEmbedder().embed([" ".join(item_fields(NEW).values())])
    spaces = {
        name: EmbeddingTable(catalog.ids, np.concatenate([table.vectors, vector]), table.space)
        for name, table in shop.spaces.items()
    }
    return replace(shop, catalog=catalog, spaces=spaces)


def test_an_item_that_came_after_training_is_in_the_next_list_of_who_would_like_it(served: Shop) -> None:
    shop = with_new_item(served)
    context = ToolContext(Shopper("vera"), TOY_NOW, "r-1")
    found = Registry(shop).call("recommend_items", {"top_n": 5}, context)
    assert "V99" in [candidate.item_id for candidate in found.candidates]
    values = taste_scores(shop, Shopper("vera"), taste_of(shop, Shopper("vera"), TOY_NOW)).values
    assert np.isfinite(values).all()
    kin = [shop.catalog.ids.ids[row] for row in shop.kin.known[0]]
    assert kin.count("V01") == 1 and sum(item.startswith("V") for item in kin) >= 3
    expected = shop.kin.weights[0] @ values[shop.kin.known[0]]
    assert values[shop.catalog.ids.row("V99")] == pytest.approx(expected, rel=1e-5)


def test_an_item_without_a_vector_waits_for_its_caption(served: Shop) -> None:
    shop = replace(served, catalog=Catalog([*served.catalog, NEW]))
    values = taste_scores(shop, Shopper("vera"), taste_of(shop, Shopper("vera"), TOY_NOW)).values
    assert values[shop.catalog.ids.row("V99")] == -np.inf


def test_the_device_a_request_names_counts_before_what_events_say(served: Shop) -> None:
    shopper = Shopper("vera", "s-1", ("V01",))
    assert session_of(served, shopper, TOY_NOW).device is None
    phone = Interaction("p", "vera", "V02", TOY_NOW - VISIT, "view", "s-1", context={"device": "phone"})
    served.events.put([phone])
    assert session_of(served, shopper, TOY_NOW).device == "phone"
    assert session_of(served, replace(shopper, device="laptop"), TOY_NOW).device == "laptop"
    assert session_of(served, Shopper(device="tablet"), TOY_NOW).device == "tablet"


def test_of_events_in_one_moment_the_one_that_came_last_counts(tmp_path: Path) -> None:
    shop = toy_shop(tmp_path)
    stamp = TOY_NOW - timedelta(seconds=5)
    kinds: tuple[Kind, ...] = ("purchase", "return")
    shop.events.put([Interaction(f"vera-{kind}", "vera", "V04", stamp, kind) for kind in kinds])
    taste = taste_of(shop, Shopper("vera"), TOY_NOW)
    assert taste.disliked == taste.returned == {"V04"}
    assert not taste.owned
    shop.events.close()
