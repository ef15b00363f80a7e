"""What `vitrine doctor` says of pictures and films that the catalogue names and nobody can open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from catalog.errors import MediaError
from catalog.findings import Finding
from catalog.media.refs import is_url, media_stamp
from catalog.nouns import Item
from catalog.shown import shown_url

NAMED = 3
"""Items that a finding names."""


def media_findings(items: Iterable[Item], root: Path) -> list[Finding]:
    """Look for every file that items name, without opening one: missing or empty is bad, not yet fetched a note.

    Of pictures and films by URL only each item's first counts: what `vitrine media` brings without being told more.
    """
    files = 0
    lost: dict[str, list[str]] = {}
    away: dict[str, list[str]] = {}
    for item in items:
        for refs in (item.images, item.videos):
            for place, ref in enumerate(refs):
                files += 1
                if not _there(ref, root) and (place == 0 or not is_url(ref)):
                    (away if is_url(ref) else lost).setdefault(item.item_id, []).append(ref)
    found = []
    if lost:
        text = f"{_counted(lost)} missing or empty: {_named(lost)}; put the files back, or import without them"
        found.append(Finding("bad", "  pictures", text))
    if away:
        text = f"{_counted(away)} named by URL and not fetched: {_named(away)}; run vitrine media"
        found.append(Finding("note", "  pictures", text))
    if files and not found:
        found.append(Finding("ok", "  pictures", f"{files:,} files of pictures and films, all there"))
    return found


def _there(ref: str, root: Path) -> bool:
    try:
        return media_stamp(ref, root).size > 0
    except MediaError:
        return False


def _counted(refs: dict[str, list[str]]) -> str:
    number = sum(map(len, refs.values()))
    return f"{number:,} of {len(refs):,} item{'s' if len(refs) > 1 else ''}"


def _named(refs: dict[str, list[str]]) -> str:
    first = ", ".join(f"{item_id} ({_shown(each)})" for item_id, each in islice(refs.items(), NAMED))
    return first + (", ..." if len(refs) > NAMED else "")


def _shown(refs: Sequence[str]) -> str:
    return shown_url(refs[0]) + (f" and {len(refs) - 1} more" if len(refs) > 1 else "")
