"""What the report of the heads claims is what the captions of the shop say."""

import numpy as np
import pytest

from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.learning import Material, cross_fit
from captioning.catalogue.places import WHOLE

FOLDS, EACH = 4, 15


@pytest.mark.parametrize("noise", [0.3, 0.8, 2.0])
def test_the_share_said_is_that_of_the_folds_own_confidences(noise):
    rng = np.random.default_rng(3)
    kinds = rng.integers(0, 3, FOLDS * EACH)
    features = (np.eye(3)[kinds] + noise * rng.standard_normal((len(kinds), 3))).astype(np.float32)
    folds = np.arange(len(kinds)) % FOLDS
    material = Material(
        [{"kind": (f"k{kind}",)} for kind in kinds], folds, np.arange(len(kinds)),
        dict.fromkeys((*range(FOLDS), WHOLE), features),
    )  # fmt: skip
    speakers, (report,) = cross_fit(material, CatalogueConfig(support=3, precision=0.75), seed=0)
    said = right = 0
    for fold in range(FOLDS):
        speaker, rows = speakers[fold], np.flatnonzero(folds == fold)
        (likely,) = speaker.heads.probabilities(features[rows])
        sure = likely.max(1) >= speaker.least["kind"]
        values = np.array([int(value[1:]) for value in speaker.heads.fields[0].values])
        said += int(sure.sum())
        right += int((values[likely.argmax(1)] == kinds[rows])[sure].sum())
    assert report.said == pytest.approx(said / len(kinds))
    assert report.precision == (pytest.approx(right / said) if said else None)
