"""The files of a report: for machines, for people, to look at, and every user's values for `vitrine compare`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import ConfigError
from eval.metrics import Values
from eval.report import report_markdown
from eval.table import Table
from eval.together import Write, together


def require_place(path: Path, option: str = "--json") -> None:
    """Refuse a place for a report before hours of fitting.

    Raises:
        ConfigError: When `path` is a folder, lies in no folder that can be written to, or would be overwritten
            by the per-user values that are kept beside it.
    """
    if path.is_dir():
        raise ConfigError(f"{option} {str(path)!r} is a folder; a file would be valid")
    if path.suffix == ".npz":
        raise ConfigError(f"{option} {str(path)!r} would be overwritten by every user's values; '.json' would be valid")
    if not path.parent.is_dir():
        raise ConfigError(
            f"{option} {str(path)!r}: there is no folder {str(path.parent)!r}; make it, or a file in one that is there"
        )
    if not os.access(path.parent, os.W_OK):
        raise ConfigError(f"{option} {str(path)!r}: nothing may be written to {str(path.parent)!r}")


def write_report(
    folder: Path, name: str, report: Mapping[str, Any], also: Path | None = None, tables: Sequence[Table] = ()
) -> list[Path]:
    """Write `<name>.json`, `.md` and a picture of each part below `folder`, and the JSON to `also` where asked for.

    With `tables`, one a part, every user's values are kept in `<name>[-<protocol>].npz` by `model<tab>metric`, so that
    two reports can be compared user by user; beside `also` as well.

    All of them or none: a disk that fills up leaves the files of before.

    Returns:
        Every file written.

    Raises:
        OSError: When one cannot be written; it names the file.
    """
    from eval.diagnosis_plot import draw_diagnosis
    from eval.plots import draw

    folder.mkdir(parents=True, exist_ok=True)
    parts = report.get("reports", [report])
    markdown = "\n".join(report_markdown(part) for part in parts)
    with together() as write:
        paths = _write_json(write, folder / f"{name}.json", report, tables)
        paths.append(folder / f"{name}.md")
        write(paths[-1], partial(_write_text, markdown))
        for part in parts:
            paths.append(folder / (f"{name}-{part['protocol']}.png" if len(parts) > 1 else f"{name}.png"))
            write(paths[-1], partial(draw, part))
            if "diagnosis" in part:
                paths.append(paths[-1].with_stem(f"{paths[-1].stem}-diagnosis"))
                write(paths[-1], partial(draw_diagnosis, part["diagnosis"]))
        if also is not None and also.resolve() != paths[0].resolve():
            paths += _write_json(write, also, report, tables)
    return paths


def _write_json(write: Write, path: Path, report: Mapping[str, Any], tables: Sequence[Table]) -> list[Path]:
    """Write a report and, beside it, the per-user values that it names."""
    parts, paths = list(report.get("reports", [report])), [path]
    for at, table in enumerate(tables):
        kept = path.with_name(f"{path.stem}-{table.protocol}.npz" if len(tables) > 1 else f"{path.stem}.npz")
        values = {f"{row.name}\t{metric}": each for row in table.rows for metric, each in row.values.items()}
        write(kept, partial(_write_values, values))
        parts[at] = {**parts[at], "per_user": kept.name}
        paths.append(kept)
    whole = {"reports": parts} if "reports" in report else parts[0]
    write(path, partial(_write_text, json.dumps(whole, indent=2, ensure_ascii=False) + "\n"))
    return paths


def _write_values(values: Mapping[str, Values], path: Path) -> None:
    np.savez_compressed(path, allow_pickle=False, **values)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def files_line(paths: Iterable[Path]) -> str:
    """Return one line that names files, those of one stem together: `Written: reports/mmrec.{json,md}, x.json`."""
    stems: dict[Path, list[str]] = {}
    for path in paths:
        stems.setdefault(path.with_suffix(""), []).append(path.suffix.removeprefix("."))
    said = [f"{stem}.{{{','.join(ends)}}}" if len(ends) > 1 else f"{stem}.{ends[0]}" for stem, ends in stems.items()]
    return f"Written: {', '.join(said)}"
