"""`vitrine reproduce`: a published finding, measured again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import ConfigError
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say

if TYPE_CHECKING:
    from catalog.progress import Progress
    from vitrine.settings import Settings

findings = typer.Typer(help="Measure a published finding again.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(findings, name="reproduce")


@findings.command("lirdrec")
def lirdrec(
    data: Annotated[
        str | None, typer.Option(help="One of the paper's: baby, sports, clothing, electronics, microlens.")
    ] = None,
    raw: Annotated[Path | None, typer.Option(help="Its raw files, as vitrine fetch leaves them.")] = None,
    folder: Annotated[Path | None, typer.Option(help="MMRec's own folder of it, or any of that form.")] = None,
    original: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=SPACE", help="Original features; picture=image_feat, text=text_feat otherwise."),
    ] = None,
    captions: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=SPACE", help="Caption features; the store's otherwise.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V1,V2", help="Choose this setting by validation, e.g. n_ui_layers=1,2."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Comma-separated; one fit each.")] = "999,2024,2025",
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="A given split column of the log, e.g. x_label_last.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Also write the report here.")] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Are captions worth more than the original features, as the LIRDRec paper says (+4.21%)?

    Without --data and --folder the store's own data set is used. Captions and vectors that are missing are
    made first; a killed run goes on where it was.
    """
    from catalog.workspace import Workspace, write_text
    from eval.report_files import require_place
    from vitrine.cli.bar import progress
    from vitrine.cli.learn import numbers
    from vitrine.reproduction import check_reproduction, reproduce_lirdrec
    from vitrine.reproduction_data import build_dataset, known_data
    from vitrine.reproduction_report import reproduction_markdown

    settings = load(store, set_)
    named = {option: _spaces(option, pairs) for option, pairs in (("--original", original), ("--captions", captions))}
    which, tried = numbers("--seeds", seeds), _grid(grid or [])
    if json_path is not None:
        require_place(json_path)
    known_data(data)
    workspace = Workspace(settings.store)
    if (data or folder or raw) and not workspace.has("catalog"):
        say(build_dataset(workspace, data=data, raw=raw, folder=folder, seed=settings.seed).text())
    elif data or folder or raw:
        say(f"{settings.store}: the data set in the store is used; another --store would hold another")
    if captions is None:
        check_reproduction(settings, original=named["--original"], grid=tried)
        _make_captions(settings, progress())
    report = reproduce_lirdrec(
        settings,
        original=named["--original"],
        captions=named["--captions"],
        grid=tried,
        seeds=which,
        label_column=label_column,
        progress=progress(),
    )
    if json_path is not None:
        write_text(json_path, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    say(reproduction_markdown(report))


def _make_captions(settings: Settings, progress: Progress) -> None:
    """Caption and embed; both do only what is missing."""
    from vitrine.jobs import caption_store, embed_store

    say(caption_store(settings, progress))
    for line in embed_store(settings, progress):
        say(line)


def _spaces(option: str, pairs: list[str] | None) -> dict[str, str] | None:
    return parse_pairs(pairs, option, "picture=image_feat") if pairs else None


def _grid(pairs: list[str]) -> dict[str, list[Any]]:
    """Return `["n_ui_layers=1,2"]` as `{"n_ui_layers": [1, 2]}`."""
    grid: dict[str, list[Any]] = {}
    for name, values in parse_pairs(pairs, "--grid", "n_ui_layers=1,2").items():
        grid[name] = [_value(each) for each in values.split(",") if each.strip()]
        if not grid[name]:
            raise ConfigError(f"--grid {name}={values}: no value; '--grid n_ui_layers=1,2' would be valid")
    return grid


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
