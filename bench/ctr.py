"""The click model on boutiques nobody tuned on: later impressions, beside the base rate and the true chances.

    python -m bench.ctr [--seeds 821 822 823] [--stores FOLDER] [--texts-alone]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM (with `--texts-alone` no picture is drawn and
only the shop's own texts are embedded; shoppers, log and truth are the same to the byte); teach the click model on the
older three quarters of the impressions (features and scorers as of each one's moment) and judge it by the newest
quarter. The truth is the chance the generator drew each click with, `truth.click_probability` at the position shown; no
model reads it. It is a generated shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from bench.boutique_ladder import prepared
from catalog.boutique.generate import TRUTH, boutique_key, load_truth
from catalog.boutique.plan import plan
from catalog.shop_data import save_shop
from catalog.workspace import Workspace
from eval.ctr import MODEL, CtrReport, ctr_text
from eval.probabilities import Values, auc, calibration_error, interval, logloss
from models.ctr import CtrModel
from models.ctr_data import CtrData
from vitrine import jobs
from vitrine.ctr import judge_ctr
from vitrine.settings import Settings, load_settings


def texts_alone(seed: int, stores: Path) -> Settings:
    """Return the settings of a store that holds the boutique of `seed` without its pictures."""
    settings = load_settings({"store": str(stores / f"texts-{seed}"), "boutique": {"seed": seed}})
    workspace = Workspace(settings.store)
    if not workspace.has("catalog"):
        made = plan(settings.boutique)
        with workspace.writing(TRUTH, boutique_key(settings.boutique)) as folder:
            made.truth.save(folder)
        save_shop(workspace, made.shop, {"generated": True})
    print(*jobs.embed_store(settings), sep="\n", flush=True)
    return settings


def true_chances(settings: Settings, rows: CtrData) -> Values:
    """Return the chance (n,) with which the generator drew each row's click."""
    truth = load_truth(Workspace(settings.store))
    by_user: dict[str, list[int]] = {}
    for row, user in enumerate(rows.user_ids):
        by_user.setdefault(user, []).append(row)
    out = np.zeros(len(rows))
    for user, mine in by_user.items():
        relevance = truth.relevance(user)[truth.items.rows([rows.table.item_ids[row] for row in mine])]
        places = rows.positions[mine].astype(np.float64)
        out[mine] = truth.click.probability(relevance, 1) * truth.click.patience ** (places - 1)
    return out


def beside_truth(model: CtrModel, test: CtrData, true: Values) -> str:
    """Return lines on the model's chances beside the generator's, place for place."""
    chance = model.probability(test.table, test.positions).astype(np.float64)
    base = np.full(len(test), model.base_rate)
    y, users = test.clicked, test.user_ids
    reached = (logloss(base, y) - logloss(chance, y)) / (logloss(base, y) - logloss(true, y))

    def away(told: Values) -> str:
        found = interval(lambda at: float(np.sqrt(((told[at] - true[at]) ** 2).mean())), users)
        return f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"

    close = interval(lambda at: float(np.corrcoef(chance[at], true[at])[0, 1]), users)
    # Against true chances in place of clicks the error of calibration has no luck in it.
    order = np.argsort(chance, kind="stable")
    tenths = [part for part in np.array_split(order, 10) if len(part)]
    bias = sum(len(part) * abs(chance[part].mean() - true[part].mean()) for part in tenths) / len(test)
    return "\n".join(
        [
            f"truth: AUC {auc(true, y):.4f}, log loss {logloss(true, y):.4f}, "
            f"calibration error {calibration_error(true, y):.4f}; "
            f"the click model reaches {reached:.0%} of the way from the base rate to it",
            f"distance from the true chance (root mean square): click model {away(chance)}, base rate {away(base)}",
            f"correlation with the true chance {close.mean:.3f} [{close.low:.3f}, {close.high:.3f}]; "
            f"calibration error against true chances {bias:.4f} "
            f"(mean told {chance.mean():.4f}, true {true.mean():.4f})",
        ]
    )


def main() -> None:
    """Run every seed and say on how many the click model beats the base rate beyond its interval."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[821, 822, 823], help="boutique seeds")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    parser.add_argument("--texts-alone", action="store_true", help="draw no picture")
    given, won = parser.parse_args(), []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            make = texts_alone if given.texts_alone else prepared
            settings = make(seed, given.stores or Path(temporary))
            judged = judge_ctr(settings)
            print(f"\n# boutique of seed {seed}\n\n{ctr_text(judged.report)}", flush=True)
            print(beside_truth(judged.model, judged.test, true_chances(settings, judged.test)), flush=True)
            won.append(beats_base(judged.report))
    print(f"\nthe click model beats the base rate in log loss on {sum(won)} of {len(won)} boutiques")


def beats_base(report: CtrReport) -> bool:
    """Whether the click model's log loss is lower than the base rate's beyond the interval of the difference."""
    gain = next(row.gain for row in report.rows if row.name == MODEL)
    return gain is not None and gain.low > 0


if __name__ == "__main__":
    main()
