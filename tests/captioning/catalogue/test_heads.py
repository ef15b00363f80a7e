import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from captioning.catalogue.fields import Field
from captioning.catalogue.heads import fit_heads

PENALTY = 0.02


@pytest.fixture
def rows():
    """300 pictures: three colours and two styles that overlap in five features, the last of which is still."""
    rng = np.random.default_rng(3)
    colour = rng.integers(0, 3, 300)
    boho = rng.random(300) < 0.4
    features = rng.normal(size=(300, 5)).astype(np.float32)
    features[:, 0] += colour
    features[:, 1] += 1.5 * boho - 0.5 * colour
    features[:, 4] = 7
    items = [
        {"colour": (("blue", "pink", "red")[c],), "style": ("boho", "casual") if b else ("casual",)}
        for c, b in zip(colour, boho, strict=True)
    ]
    return features, items, colour, boho


FIELDS = (Field("colour", ("blue", "pink", "red"), several=False), Field("style", ("boho",), several=True))


def test_heads_are_penalised_logistic_regression(rows):
    features, items, colour, boho = rows
    heads = fit_heads(features, items, FIELDS, penalty=PENALTY)
    of_colour, of_style = heads.probabilities(features)
    seen = (features[:, :4] - features[:, :4].mean(0)) / features[:, :4].std(0)
    reference = LogisticRegression(C=1 / (PENALTY * len(seen)), tol=1e-8, max_iter=1000)
    assert np.allclose(of_colour, reference.fit(seen, colour).predict_proba(seen), atol=2e-3)
    assert np.allclose(of_style[:, 0], reference.fit(seen, boho).predict_proba(seen)[:, 1], atol=2e-3)


def test_a_field_learns_only_from_items_that_state_it(rows):
    features, items, _, _ = rows
    silent = [{key: value for key, value in item.items() if key != "colour"} for item in items[150:]]
    part = fit_heads(features, [*items[:150], *silent], FIELDS[1:], penalty=PENALTY)
    whole = fit_heads(features, items, FIELDS[1:], penalty=PENALTY)
    assert np.array_equal(part.weights, whole.weights)
    both = fit_heads(features, [*items[:150], *silent], FIELDS, penalty=PENALTY)
    other = fit_heads(features, [*items[:150], *[{"style": i["style"]} for i in items[150:]]], FIELDS, penalty=PENALTY)
    assert np.array_equal(both.weights, other.weights)


def test_no_fields_say_nothing(rows):
    features, items, _, _ = rows
    assert fit_heads(features, items, (), penalty=PENALTY).probabilities(features) == []
