"""`--diagnose`: do features starve item ids of gradient, as LIRDRec's paper says of models that learn both?

The paper's claims, each judged by numbers: (1) the gradient favours the parameters that read features over the item
ids; (2) those parameters converge first; (3) the ids end worse than they would alone. Ids and features of one model
are watched while it learns: VBPR, the plainest of that kind, and LIRDRec given ids.

Source:
    arXiv 2505.04960, abstract and motivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.log import Interactions
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable
from eval.intervals import Paired, paired_test
from eval.metrics import Values

Half = Literal["ids", "features"]
HALVES: tuple[Half, Half] = ("ids", "features")
CLAIMS = 3
"""Claims of the paper's motivation; the third needs a run of the ids alone."""


class DiagnosisConfig(BaseModel):
    """Options of `--diagnose`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Literal["vbpr", "vbpr-raw", "lirdrec-with-ids"], ...] = ("vbpr", "vbpr-raw", "lirdrec-with-ids")
    """Models that learn item ids beside features; `vbpr-raw` reads the vectors at whatever scale they come."""
    epochs: int = Field(40, ge=3)
    """Epochs of VBPR, and of its ids alone."""
    lirdrec_epochs: int = Field(10, ge=3)
    """Epochs of LIRDRec with ids."""
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    """One run each; a claim holds where it holds in every run."""
    metric: str = "recall@20"
    """Measured on the validation part."""


@dataclass(frozen=True, eq=False)
class Trace:
    """One run, one value an epoch.

    Attributes:
        gradient: By half, the root mean square over steps of the length of the gradient of its parameters.
        per_parameter: The same over the root of how many parameters the half has.
        moved: By half, how far the item rows it gives moved in the epoch, relative to their length.
        remaining: By half, the distance of its item rows from where they end, relative to where they began.
        valid: Validation metric of the whole score (`both`), and of each half's part of it.
        alone: Validation metric of ids trained without features, under the same settings; None: not run.
        ended: Per-user validation values at the best epoch: the ids' part, and ids alone where they were run.
    """

    model: str
    seed: int
    gradient: Mapping[Half, Sequence[float]]
    per_parameter: Mapping[Half, Sequence[float]]
    moved: Mapping[Half, Sequence[float]]
    remaining: Mapping[Half, Sequence[float]]
    valid: Mapping[str, Sequence[float]]
    alone: Sequence[float] | None
    ended: Mapping[str, Values]

    @property
    def favour(self) -> float:
        """How many times longer the features' gradient is: geometric mean over epochs."""
        ratio = np.asarray(self.gradient["features"]) / np.maximum(self.gradient["ids"], 1e-30)
        return float(np.exp(np.log(ratio).mean()))

    @property
    def favour_per_parameter(self) -> float:
        """The same a parameter, which does not grow with how many there are."""
        ratio = np.asarray(self.per_parameter["features"]) / np.maximum(self.per_parameter["ids"], 1e-30)
        return float(np.exp(np.log(ratio).mean()))

    def halfway(self, half: Half) -> int:
        """Return the first epoch (from 1) after which less than half of the way is left."""
        left = np.asarray(self.remaining[half])
        return int(np.argmax(left < 0.5)) + 1

    @property
    def loss_of_ids(self) -> Paired | None:
        """Ids inside the model less ids alone, paired over users; None where they were not run alone."""
        if "alone" not in self.ended:
            return None
        return paired_test(self.ended["ids"], self.ended["alone"], seed=0)


@dataclass(frozen=True)
class Claim:
    """One claim of the paper and what the runs say of it."""

    claim: str
    holds: bool
    text: str


def diagnosed(
    train: Interactions,
    valid: Interactions,
    modalities: Mapping[str, EmbeddingTable],
    config: DiagnosisConfig,
    progress: Progress,
) -> dict[str, Any]:
    """Run the models of `config` and return the report's `"diagnosis"`; the test part has no say in it.

    Raises:
        DataError: When there is no validation user or no modality.
    """
    from eval.diagnosis_runs import diagnose

    if not len(valid):
        raise DataError("--diagnose: the validation part is empty, so nothing says what ids and features are worth")
    return diagnosis_json(diagnose(train, valid, modalities, config, progress), config)


def judge(traces: Sequence[Trace]) -> tuple[Claim, ...]:
    """Return the claims about one model, judged over its runs.

    A claim holds where it holds in every run; that ids end worse needs a 95% interval below zero in every run.
    """
    favours = [trace.favour for trace in traces]
    times = {half: [trace.halfway(half) for trace in traces] for half in HALVES}
    claims = [
        Claim(
            "the gradient favours features",
            min(favours) > 1,
            f"the features' gradient is {_spread(favours)} times the ids' "
            f"({_spread([trace.favour_per_parameter for trace in traces])} times a parameter)",
        ),
        Claim(
            "features converge first",
            all(f < i for f, i in zip(times["features"], times["ids"], strict=True)),
            f"half of the way is behind the features after {_spread(times['features'])} epochs, "
            f"behind the ids after {_spread(times['ids'])}",
        ),
    ]
    losses = [loss for loss in (trace.loss_of_ids for trace in traces) if loss is not None]
    if losses:
        told = ", ".join(
            f"{each.difference.mean:+.4f} [{each.difference.low:+.4f}, {each.difference.high:+.4f}]" for each in losses
        )
        worse = all(each.difference.high < 0 for each in losses)
        claims.append(Claim("ids end worse than alone", worse, f"ids inside less ids alone: {told}"))
    return tuple(claims)


def verdict(claims: Sequence[Claim]) -> str:
    """Return `reproduced`, `refuted` or `reproduced in part (2 of 3)`, from the claims alone.

    A claim that was not judged is not among `claims`, and is not reproduced.
    """
    held = sum(claim.holds for claim in claims)
    if held == CLAIMS:
        return "reproduced"
    return f"reproduced in part ({held} of {CLAIMS})" if held else "refuted"


def diagnosis_json(traces: Sequence[Trace], config: DiagnosisConfig) -> dict[str, Any]:
    """Return the report's `"diagnosis"`: per model its verdict, claims and curves."""
    models: dict[str, Any] = {}
    for name in dict.fromkeys(trace.model for trace in traces):
        runs = [trace for trace in traces if trace.model == name]
        claims = judge(runs)
        models[name] = {
            "verdict": verdict(claims),
            "claims": [asdict(claim) for claim in claims],
            "runs": [_curves(trace) for trace in runs],
        }
    return {"metric": config.metric, "config": config.model_dump(mode="json"), "models": models}


def diagnosis_markdown(diagnosis: Mapping[str, Any]) -> str:
    """Return the section a person reads."""
    metric = diagnosis["metric"]
    lines = ["### Item ids beside features: do features starve them?", ""]
    for name, found in diagnosis["models"].items():
        lines.append(f"**{name}**: the paper's motivation is **{found['verdict']}**.")
        lines.append("")
        for claim in found["claims"]:
            lines.append(f"- {'holds' if claim['holds'] else 'does not hold'}: {claim['claim']}; {claim['text']}.")
        if not any(run["alone"] for run in found["runs"]):
            lines.append("- not judged: ids end worse than alone; this model's ids were not trained alone.")
        for run in found["runs"]:
            best = {part: max(values) for part, values in run["valid"].items()}
            parts = ", ".join(f"{part} {value:.4f}" for part, value in best.items())
            alone = f", ids trained alone {max(run['alone']):.4f}" if run["alone"] else ""
            lines.append(f"- seed {run['seed']}, best validation {metric}: {parts}{alone}.")
        lines.append("")
    return "\n".join(lines)


def _curves(trace: Trace) -> dict[str, Any]:
    def told(curves: Mapping[Any, Sequence[float]]) -> dict[str, list[float]]:
        return {part: _rounded(values) for part, values in curves.items()}

    return {
        "seed": trace.seed,
        "gradient": told(trace.gradient),
        "per_parameter": told(trace.per_parameter),
        "moved": told(trace.moved),
        "remaining": told(trace.remaining),
        "valid": told(trace.valid),
        "alone": None if trace.alone is None else _rounded(trace.alone),
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 8) for value in values]


def _spread(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
