"""The encoder through its public door: what training buys, what is optional, what is refused, what is kept."""

import numpy as np
import pytest
from pydantic import ValidationError

from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, unit_rows
from embedding.fusion.config import FusionConfig
from embedding.fusion.encoder import CONFIG, WEIGHTS, FusionEncoder, fit_fusion


@pytest.fixture(scope="module")
def encoder(toy):
    return fit_fusion(toy.tables, toy.items, toy.events, toy.quick, seed=3)[0]


def neighbours(queries, items, kinds, asked):
    """Return the share of the four nearest others that are of the same kind; by chance 4/59."""
    scores = queries @ items.T
    scores[np.arange(len(asked)), asked] = -np.inf
    nearest = np.argsort(-scores, axis=1)[:, :4]
    return float((kinds[nearest] == kinds[asked][:, None]).mean())


def alone(table):
    units = unit_rows(table.vectors - table.vectors.mean(axis=0))
    return units, units


def test_the_fused_vector_beats_each_role_alone_and_the_mean_of_their_cosines(toy, encoder):
    fused, everyone = encoder.encode_items(toy.tables, toy.items).vectors, np.arange(len(toy.items))
    parts = [alone(table)[0] for table in toy.tables.values()]
    found = [neighbours(each, each, toy.kinds, everyone) for each in (*parts, np.concatenate(parts, axis=1), fused)]
    assert found[3] > 0.9 > found[2] > max(found[:2]), found


def test_a_query_of_both_beats_one_of_either(toy, encoder):
    items, everyone = encoder.encode_items(toy.tables, toy.items).vectors, np.arange(len(toy.items))
    text, picture = (toy.tables[role].vectors for role in ("text", "picture"))
    ways = (encoder.encode(text=text), encoder.encode(picture=picture), encoder.encode(text=text, picture=picture))
    found = [neighbours(each, items, toy.kinds, everyone) for each in ways]
    assert found[2] > max(found[:2]) + 0.2 and min(found[:2]) > 2 * 4 / 59, found


def test_vectors_are_of_length_one_and_a_single_vector_is_a_row(toy, encoder):
    found = encoder.encode(picture=toy.tables["picture"].vectors[0])
    assert found.shape == (1, 16) and found.dtype == np.float32 and encoder.roles == ("text", "picture")
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_a_row_of_zeros_is_the_same_as_nothing(toy, encoder):
    text = toy.tables["text"].vectors[:3]
    assert (encoder.encode(text=text, picture=np.zeros((3, 3), np.float32)) == encoder.encode(text=text)).all()
    assert (encoder.encode(text=text, picture=None) == encoder.encode({"text": text})).all()


def test_items_and_queries_are_told_apart(toy, encoder):
    text = toy.tables["text"].vectors[:3]
    assert not np.allclose(encoder.encode(text=text), encoder.encode(text=text, query=False), atol=1e-4)


def test_items_with_a_part_of_the_roles_have_a_vector_and_those_with_none_are_absent(toy, encoder):
    tables = {"picture": EmbeddingTable(IdMap(["new"]), toy.tables["picture"].vectors[:1], "picture-toy")}
    found = encoder.encode_items(tables, IdMap(["new", "bare"]))
    assert found.ids.ids == ("new",) and found.space == "fused"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(toy, encoder, tmp_path):
    written = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        fit_fusion(toy.tables, toy.items, toy.events, toy.quick, seed=seed)[0].save(tmp_path / name)
        written.append((tmp_path / name / WEIGHTS).read_bytes())
    assert written[0] == written[1] != written[2]


def test_what_is_saved_serves_alone(toy, encoder, tmp_path):
    encoder.save(tmp_path)
    loaded = FusionEncoder.load(tmp_path)
    assert (loaded.config, loaded.spaces) == (toy.quick, {"text": "text-toy", "picture": "picture-toy"})
    ours, theirs = (each.encode_items(toy.tables, toy.items).vectors for each in (encoder, loaded))
    assert (ours == theirs).all()


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_a_damaged_file_is_one_line(encoder, tmp_path, name):
    encoder.save(tmp_path)
    (tmp_path / name).write_bytes(b"junk")
    with pytest.raises(DataError, match="holds no fusion encoder that can be read") as told:
        FusionEncoder.load(tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smell": np.ones((1, 3), np.float32)}, "unknown role 'smell'; the encoder was trained on text, picture"),
        (
            {"picture": np.ones((2, 4), np.float32)},
            r"role 'picture' is of shape \(2, 4\); finite numbers \(2, 3\)",
        ),
        ({"picture": np.full((1, 3), np.nan, np.float32)}, "role 'picture' is of shape .* not finite"),
        ({"picture": np.zeros((2, 3), np.float32)}, "row 0 has a vector of no role; one at least of text, picture"),
        ({"picture": np.ones((2, 3), np.float32), "text": np.ones((1, 9), np.float32)}, "rows by role are"),
        ({}, "rows by role are"),
    ],
)
def test_what_cannot_be_encoded_is_named(encoder, given, words):
    with pytest.raises(DataError, match=words):
        encoder.encode(given)


def test_any_number_of_roles_and_any_names(toy):
    tables = {"words": toy.tables["text"], "a": toy.tables["picture"], "b": toy.tables["picture"]}
    short = toy.quick.model_copy(update={"epochs": 1})
    encoder, _ = fit_fusion(tables, toy.items, toy.events, short)
    assert encoder.encode(b=toy.tables["picture"].vectors[:2]).shape == (2, 16)
    one, _ = fit_fusion(
        {"words": toy.tables["text"]}, toy.items, toy.events, toy.quick.model_copy(update={"epochs": 1})
    )
    assert one.roles == ("words",)


def test_a_device_that_is_not_there_and_heads_that_do_not_divide_are_refused(toy):
    with pytest.raises(ConfigError, match=r"encoders.fusion.device is 'nothing': .* 'cpu' would be valid"):
        fit_fusion(toy.tables, toy.items, toy.events, toy.quick.model_copy(update={"device": "nothing"}))
    with pytest.raises(ValidationError, match="heads is 3, which does not divide dim 16"):
        FusionConfig(dim=16, heads=3)


def test_no_role_and_a_space_of_another_shop_are_refused(toy):
    with pytest.raises(DataError, match="fusion: no role was given"):
        fit_fusion({}, toy.items, toy.events, toy.quick)
    other = EmbeddingTable(IdMap(["x"]), np.ones((1, 2), np.float32), "theirs")
    with pytest.raises(DataError, match="space 'theirs' of role 'text' has a vector of none of the 60 items"):
        fit_fusion({"text": other}, toy.items, toy.events, toy.quick)
