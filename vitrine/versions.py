"""Versions of trained models as text: a list, and two side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.errors import DataError
from vitrine.reads import intents_text, spaces_text
from vitrine.served import cure
from vitrine.shelf import Shelf, Version

FIGURES = ("recall@20", "ndcg@20")


def version_lines(shelf: Shelf, serve: str) -> Iterator[str]:
    """Yield a table of every kept version, oldest first in each model."""
    names = shelf.names()
    if not names and shelf.promoted(serve) is None:
        yield "no model is trained; vitrine train makes the first version"
        return
    heads = ("", "version", *FIGURES, "epochs", "seconds", "made", "data", "commit", "ranker", "reads")
    rows: list[tuple[str, ...]] = [heads]
    for name in names:
        promoted = shelf.promoted(name)
        for version in shelf.versions(name):
            rows.append(("*" if version.number == promoted else "", str(version), *_cells(version)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    for name in names:
        for number, fault in shelf.unreadable(name).items():
            if (name, number) != (serve, shelf.promoted(serve)):
                yield f"{name}@{number} is damaged: {fault}"
    yield f"served: {_served(shelf, serve)}"


def compared_lines(a: Version, b: Version) -> Iterator[str]:
    """Yield the figures of two versions, then every setting and source in which they differ."""
    rows: list[tuple[str, str, str]] = [("", str(a), str(b))]
    rows += [(name, _figure(a, name), _figure(b, name)) for name in FIGURES]
    for name in ("epochs", "seconds"):
        rows.append((name, str(a.meta.get(name, "-")), str(b.meta.get(name, "-"))))
    rows.append(("made", a.made_at, b.made_at))
    left, right = _told(a), _told(b)
    differ = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    rows += [(name, left.get(name, "-"), right.get(name, "-")) for name in differ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not differ:
        yield "no setting and no source differs"


def _served(shelf: Shelf, name: str) -> str:
    promoted = shelf.promoted(name)
    if promoted is None:
        return f"{name}, which has no promoted version"
    try:
        version = shelf.served(name)
        fault = shelf.damage(version) if version else None
    except DataError as error:
        fault = str(error)
    return f"{name}@{promoted}" + (f", which is damaged ({fault}): {cure(shelf, name)}" if fault else "")


def _cells(version: Version) -> Sequence[str]:
    meta = version.meta
    ranker = meta.get("ranker")
    return (
        *(_figure(version, name) for name in FIGURES),
        str(meta.get("epochs", "-")),
        f"{meta['seconds']:.1f}" if isinstance(meta.get("seconds"), int | float) else "-",
        version.made_at[:16].replace("T", " "),
        str(meta.get("data_key") or "-")[:8],
        str(meta.get("commit") or "-"),
        f"{ranker['groups']:,} shoppers, {intents_text(ranker)}"
        if isinstance(ranker, Mapping) and "groups" in ranker
        else "none",
        spaces_text(meta),
    )


def _figure(version: Version, name: str) -> str:
    value = (version.meta.get("metrics") or {}).get(name)
    return f"{value:.4f}" if isinstance(value, int | float) else "-"


def _told(version: Version) -> dict[str, str]:
    """Return the settings of a version and where it came from, dotted, as JSON.

    Raises:
        DataError: When its `config.json` cannot be read.
    """
    path = version.folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DataError(f"{str(path)!r} is not JSON: {error}") from error
    sources = {name: version.meta.get(name) for name in ("roles", "seed", "as_of", "data_key", "commit", "ranker")}
    return dict(_leaves({"model": version.name, "config": config, **sources}))


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
