"""Commands that learn and judge: `train` and `eval`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import ConfigError
from vitrine.cli import eval_agent, eval_captions, eval_dialogue, eval_explain
from vitrine.cli.judging import advised, judged_clicks
from vitrine.cli.next_steps import say_next
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say
from vitrine.cli.replay import replayed
from vitrine.cli.train_encoders import ENCODERS, What, what_next

if TYPE_CHECKING:
    from vitrine.settings import Settings


WIDTH = 100
"""Columns of a table where there is no terminal."""

MODELS = (
    "Any of popularity, itemknn, content_knn, ease, content_linear, sequence_linear, sequence_tower, als, bprmf, "
    "lightgcn, vbpr, freedom, two_tower, sasrec, din, lirdrec; variants: lirdrec-exact, lirdrec-no-transformation, "
    "lirdrec-no-copying, lirdrec-no-item-graph, lirdrec-with-ids; retrievers with a ranker behind them: two_stage, "
    "two_stage-last."
)
METRICS = (
    "The first is tested in pairs; ndcg@20, recall@20, hit@10, mrr@10, map@10, precision@10 and coverage@10 unless "
    "named. There are coldrecall@k, novelty@k, popularity@k, diversity@k, gini@k and auc as well."
)
"""Written out, since help may load nothing that knows them; a test holds both to what there is."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("train")(train)
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(evaluate)
    eval_captions.register(group)
    eval_dialogue.register(group)
    eval_agent.register(group)
    eval_explain.register(group)
    app.add_typer(group, name="eval")


def train(
    what: Annotated[
        What, typer.Argument(help="recommender is what the shop serves; the others are encoders of its media.")
    ] = "recommender",
    store: Store = None,
    set_: Set = None,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", help="Learn only from events before this moment (UTC).")
    ] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option("--modality", metavar="ROLE=SPACE", help="Role's vectors, e.g. picture=image_feat. Repeatable."),
    ] = None,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Keep the new version without serving it; see vitrine models.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="MODEL", help="For clip: fine-tune this one, a folder or MODEL:TAG of open_clip's list."
        ),
    ] = None,
) -> None:
    """Fit the recommender and the ranker that the shop serves, as a new version; or an encoder of its media.

    recommender (what is meant without a word): the model and the ranker; a running shop takes them over within
    seconds, and vitrine models rollback goes back to the version before.

    clip: a picture-text model on the catalogue's own pictures and texts; vitrine embed uses it then.

    video: one vector a film, and the click-through to expect of it, from who saw and who clicked; vitrine videos ranks
    by it.

    fusion: one vector an item of all its others (text, captions, picture, film, speech), from what shoppers took
    together: the space fused.
    """
    from vitrine.cli.bar import progress
    from vitrine.jobs import train_store

    if what != "recommender":
        _refuse_moment(what, as_of)
        _refuse_given(what, {"--modality": modality, "--no-promote": no_promote})
    if what != "clip":
        _refuse_given(what, {"--from": base})
    if what != "recommender":
        settings = load(store, [*(set_ or []), *_starting(base)])
        for line in ENCODERS[what](settings, progress()):
            say(line)
        fused = "vitrine find searches by it then, vitrine eval --modality picture=fused judges it"
        say_next(store, set_, *what_next(what, settings), then=fused if what == "fusion" else "")
        return
    moment = as_of.replace(tzinfo=UTC) if as_of is not None and as_of.tzinfo is None else as_of
    settings = with_modalities(load(store, set_), modality)
    lines = train_store(settings, moment, progress(), promote=not no_promote)
    for line in lines:
        say(line)
    if not no_promote and not lines[0].endswith("already current"):
        say_next(store, set_, "eval", "serve")


def _refuse_moment(what: What, as_of: datetime | None) -> None:
    if as_of is None:
        return
    if what == "clip":
        raise ConfigError("--as-of says nothing to vitrine train clip, which reads no event; leave it out")
    moment = as_of if as_of.tzinfo is not None else as_of.replace(tzinfo=UTC)
    raise ConfigError(
        f"--as-of is for the recommender; of vitrine train {what} it is a setting, since an evaluation reads it as "
        f"well: --set encoders.{what}.as_of={moment.isoformat()} would be valid"
    )


def _refuse_given(what: What, options: Mapping[str, object]) -> None:
    for option, given in options.items():
        if given:
            raise ConfigError(f"{option} says nothing to vitrine train {what}; leaving it out would be valid")


def _starting(base: str | None) -> list[str]:
    """Return the settings that `--from` stands for."""
    import json

    if base is None:
        return []
    name, colon, tag = base.partition(":")
    of_the_list = colon and not Path(base).exists() and name not in ("hf-hub", "local-dir")
    chosen = (name, tag) if of_the_list else (base, None)
    return [
        f"encoders.clip.{field}={json.dumps(value)}"
        for field, value in zip(("base", "pretrained"), chosen, strict=True)
        if value is not None
    ]


def evaluate(
    context: typer.Context,
    store: Store = None,
    set_: Set = None,
    models: Annotated[
        str, typer.Option(help=f"Rows of the table, comma-separated. {MODELS}")
    ] = "popularity,itemknn,lirdrec",
    protocol: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="mmrec, last or temporal. Repeatable; one table each.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="A given split column of the log, e.g. x_label_last.")
    ] = None,
    metrics: Annotated[str | None, typer.Option(help=f"Columns, comma-separated. {METRICS}")] = None,
    seeds: Annotated[str, typer.Option(help="Comma-separated; a user's value is the mean over them.")] = "0",
    modality: Annotated[
        list[str] | None,
        typer.Option("--modality", metavar="ROLE=SPACE", help="Role's vectors, e.g. picture=image_feat. Repeatable."),
    ] = None,
    shuffle: Annotated[
        list[str] | None,
        typer.Option(
            "--shuffle", metavar="ROLE", help="Add a control row with this role's vectors on the wrong items."
        ),
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Add a row without each modality to models that read them.")
    ] = False,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Add what features do to the gradients and the worth of item ids.")
    ] = False,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="Instead of the table: the log's end event by event, each shopper's profile frozen against adapted, "
            "by the recommender the shop serves.",
        ),
    ] = False,
    replay_hours: Annotated[
        float, typer.Option("--replay-hours", min=0.01, help="How much of the log's end --replay goes through.")
    ] = 24.0,
    ctr: Annotated[
        bool,
        typer.Option(
            "--ctr",
            help="Instead of the table: a click model taught on the older impressions, judged by the newest quarter.",
        ),
    ] = False,
    advise: Annotated[
        bool,
        typer.Option(
            "--advise",
            help="Instead of the table: what text and pictures add in each category, which to use by validation, "
            "and what that gains on test.",
        ),
    ] = False,
    parameters: Annotated[
        list[Path] | None,
        typer.Option("--parameters", metavar="FILE", help="Model settings that vitrine search wrote. Repeatable."),
    ] = None,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", help="Also write the report here, and beside it what vitrine compare needs."),
    ] = None,
) -> None:
    """Fit every model afresh and print one table with intervals.

    A model learns from a protocol's train rows alone; a served model is never read.
    """
    if context.invoked_subcommand is not None:
        eval_captions.refuse_before(context)
        return
    from eval.config import EvalConfig
    from eval.diagnosis import DiagnosisConfig
    from eval.report_files import files_line, require_place
    from eval.report_text import report_text
    from vitrine.cli.bar import progress
    from vitrine.evaluation import evaluate_store
    from vitrine.searching import with_parameters

    settings = with_parameters(with_modalities(load(store, set_), modality), parameters or [])
    wanted = {
        "models": _listed("--models", models),
        "seeds": numbers("--seeds", seeds),
        "shuffle": tuple(dict.fromkeys(shuffle or ())),
        "ablate": ablate,
        "overrides": settings.models.overrides,
        **({"metrics": _listed("--metrics", metrics)} if metrics is not None else {}),
    }
    if json_path is not None:
        require_place(json_path)
    if sum((replay, ctr, advise)) > 1:
        raise ConfigError("--replay, --ctr and --advise each stand in for the table; one of them would be valid")
    if ctr:
        judged_clicks(settings, json_path)
        return
    if advise:
        advised(settings, json_path)
        return
    if replay:
        replayed(settings, replay_hours, json_path)
        return
    made = evaluate_store(
        settings,
        EvalConfig.model_validate(wanted),
        protocols=tuple(dict.fromkeys(protocol or ("mmrec",))),
        label_column=label_column,
        diagnose=DiagnosisConfig(seeds=EvalConfig.model_validate(wanted).seeds) if diagnose else None,
        also=json_path,
        progress=progress(),
    )
    for part in made.report.get("reports", [made.report]):
        say(report_text(part, shutil.get_terminal_size((WIDTH, 24)).columns))
    if made.earlier is not None:
        say(f"Kept, the report before: {made.earlier}")
    say(files_line(made.files))


def with_modalities(settings: Settings, pairs: list[str] | None) -> Settings:
    """Return the settings with the roles that `--modality` names."""
    if not pairs:
        return settings
    chosen = settings.models.model_copy(update={"modalities": parse_pairs(pairs, "--modality", "picture=image_feat")})
    return settings.model_copy(update={"models": chosen})


def _listed(option: str, text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not named:
        raise ConfigError(f"{option} {text!r} names nothing; one or several, comma-separated, would be valid")
    return named


def numbers(option: str, text: str) -> tuple[int, ...]:
    """Return `"1,2"` as `(1, 2)`; raises ConfigError when it is no list of seeds."""
    parts = _listed(option, text)
    from vitrine.settings import MAX_SEED

    if not all(part.isascii() and part.isdigit() and len(part) < 20 and int(part) <= MAX_SEED for part in parts):
        raise ConfigError(
            f"{option} {text!r} is not a list of whole numbers from 0 to {MAX_SEED}; '999,2024,2025' would be valid"
        )
    return tuple(int(part) for part in parts)
