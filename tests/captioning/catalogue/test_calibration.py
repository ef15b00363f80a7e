import numpy as np
import pytest

from captioning.catalogue.calibration import NEVER, Answers, threshold


def given(*runs):
    """Return answers from (how many, of which confidence, how many of them right)."""
    confidence = np.concatenate([np.full(n, sure, np.float32) for n, sure, _ in runs])
    right = np.concatenate([np.arange(n) < good for n, _, good in runs])
    return Answers(confidence, right)


def test_the_lowest_confidence_that_keeps_the_precision():
    # 19 of 20 + 1, 27 of 30 + 1 and 30 of 40 + 1 right: .905, .871, .732.
    found = given((20, 0.9, 19), (10, 0.8, 8), (10, 0.6, 3))
    assert threshold(found, 0.9) == pytest.approx(0.9)
    assert threshold(found, 0.8) == pytest.approx(0.8)
    assert threshold(found, 0.73) == pytest.approx(0.6)
    assert threshold(found, 0.95) == NEVER


def test_a_dip_is_bridged_where_more_answers_make_up_for_it():
    # 10 of 11, 15 of 21, 45 of 51: .909, .714, .882.
    assert threshold(given((10, 0.9, 10), (10, 0.8, 5), (30, 0.7, 30)), 0.85) == pytest.approx(0.7)


def test_a_few_lucky_answers_prove_nothing():
    assert threshold(given((9, 0.99, 9)), 0.5) == NEVER
    assert threshold(Answers(np.zeros(0, np.float32), np.zeros(0, np.bool_)), 0.5) == NEVER
