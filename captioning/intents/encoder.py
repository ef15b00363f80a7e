"""`IntentEncoder`: what was learned of a shop's words: vocabulary, what speaks for or against, where aspects stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from captioning.intents.language import Language, english
from captioning.intents.linear import LinearModel
from captioning.intents.vocabulary import Vocabulary
from catalog.errors import DataError
from catalog.workspace import Workspace, write_text

ARTIFACT = "encoders/intents"
WORDS_FILE, WEIGHTS_FILE = "encoder.json", "weights.safetensors"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class IntentEncoder:
    """A trained extractor's parts.

    Attributes:
        vocabulary: Phrases of the catalogue with their facets.
        polarity: Log-odds that a clause speaks for something, of `features.clause_features`.
        aspects: Log-odds that a word is a part of what is spoken of, of `features.word_features`.
    """

    vocabulary: Vocabulary
    polarity: LinearModel
    aspects: LinearModel

    @property
    def language(self) -> Language:
        """The words it started from."""
        return english()

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and `weights.safetensors` into an existing folder."""
        from safetensors.numpy import save_file

        models = {"polarity": self.polarity, "aspects": self.aspects}
        told = {
            "format": FORMAT,
            "language": self.language.sha,
            "phrases": [[list(phrase), facet] for phrase, facet in sorted(self.vocabulary.facets.items())],
            "features": {name: list(model.weights) for name, model in models.items()},
        }
        write_text(folder / WORDS_FILE, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        arrays = {name: np.asarray([*model.weights.values(), model.bias]) for name, model in models.items()}
        save_file(arrays, folder / WEIGHTS_FILE)

    @classmethod
    def load(cls, folder: Path) -> IntentEncoder:
        """Read what `save` wrote.

        Raises:
            DataError: When its two files disagree, or it was trained by another version.
        """
        from safetensors.numpy import load_file

        told: Mapping[str, Any] = json.loads((folder / WORDS_FILE).read_text("utf-8"))
        if told["format"] != FORMAT or told["language"] != english().sha:
            raise DataError("the trained intents come from another version's words: run vitrine intents --train")
        arrays = load_file(folder / WEIGHTS_FILE)

        def model(name: str) -> LinearModel:
            features, values = told["features"][name], arrays[name].tolist()
            if len(values) != len(features) + 1:
                raise DataError(
                    f"{len(values)} weights of {name} for {len(features)} features; one more would be valid"
                )
            return LinearModel(dict(zip(features, values, strict=False)), values[-1])

        phrases = {tuple(phrase): facet for phrase, facet in told["phrases"]}
        return cls(Vocabulary(phrases), model("polarity"), model("aspects"))


def load_encoder(workspace: Workspace) -> IntentEncoder:
    """Read `encoders/intents` of a store.

    Raises:
        NotBuiltError: When it was never trained.
        DataError: When it is damaged.
    """
    with workspace.reading(ARTIFACT, whole=True) as folder:
        return IntentEncoder.load(folder)
