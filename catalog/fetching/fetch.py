"""`fetch`: a public data set into a folder, its terms accepted first, every file checked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import ConfigError, DataError
from catalog.fetching.archive import unpack
from catalog.fetching.download import DownloadConfig, begun_bytes, download, unheard
from catalog.fetching.ledger import Ledger
from catalog.fetching.sources import RemoteFile, Source
from catalog.progress import SILENT, Progress


@dataclass(frozen=True)
class Planned:
    """One file of a data set and whether it lies here already."""

    file: RemoteFile
    url: str
    target: Path
    here: bool

    def text(self) -> str:
        """Return one line: where it lies or comes from, how large it is, and how much of it came before."""
        if self.here:
            return f"{self.target}: here already, {self.target.stat().st_size:,} bytes"
        about = self.file.megabytes
        size = f"about {about:,} MB" if about else "size unknown before the fetch"
        begun = begun_bytes(self.target)
        return f"{self.target}: from {self.url}, {size}{f', {begun:,} bytes of it here' if begun else ''}"


def plan(source: Source, folder: Path, base: str | None = None) -> list[Planned]:
    """Return what a fetch would bring, asking nobody.

    Args:
        source: The data set.
        folder: Where to.
        base: Another address in place of the source's own.

    Raises:
        ConfigError: When `base` is no http(s) address, or a file's name is not one of a plain file.
    """
    address = base or source.base
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"address {address!r} is not http(s)://host/path")
    planned = []
    for file in source.files:
        if (
            not file.name
            or file.name.startswith(".")
            or Path(file.name).name != file.name
            or not file.name.isprintable()
        ):
            raise ConfigError(f"file name {file.name!r} of {source.name!r} is not one of a plain file")
        target = folder / file.name
        planned.append(Planned(file, f"{address.rstrip('/')}/{file.path}", target, target.is_file()))
    return planned


def fetch(
    source: Source,
    folder: Path,
    *,
    accept_licence: bool = False,
    base: str | None = None,
    config: DownloadConfig | None = None,
    progress: Progress = SILENT,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str], None] = unheard,
) -> list[str]:
    """Bring a data set and say what was done, a line a file.

    A file that is here already is measured and not brought again. Every digest is checked against the
    publisher's where there is one, and against that of the first fetch (`fetched.json`).

    Args:
        source: The data set.
        folder: Where to; made when it is not there.
        accept_licence: Whether the terms are accepted; once is enough for a folder.
        base: A mirror's address in place of the source's own.
        config: Patience of the downloads.
        progress: Told of every KiB.
        sleep: Waits between attempts.
        tell: Given a line for every attempt that failed and is made again.

    Raises:
        ConfigError: When the terms were never accepted, or the data set must be downloaded by hand.
        ServiceError: When a server refuses or stays away.
        DataError: When a digest differs, the disk is full, or an archive is not to be trusted.
    """
    planned = plan(source, folder, base)
    if source.by_hand is not None and base is None:
        missing = [each.file.name for each in planned if not each.here]
        if missing:
            raise ConfigError(
                f"{source.name!r} cannot be fetched by a program: {source.by_hand} ({', '.join(missing)}) into "
                f"{str(folder)!r}; then {source.then.format(folder=folder)}"
            )
    ledger = Ledger.of(folder)
    terms = source.licence
    if not accept_licence and terms.name not in ledger.accepted:
        raise ConfigError(
            f"the terms of {source.name!r} ({terms.name}: {terms.url}) are not accepted yet; "
            "having read them, add --accept-licence"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if terms.name not in ledger.accepted:
        ledger.accept(terms)
    lines = []
    for each in planned:
        lines.append(_bring(each, ledger, config, progress, sleep, tell))
        if each.file.unpack:
            lines.append(f"{unpack(each.target, folder)}: unpacked")
    return lines


def _bring(
    each: Planned,
    ledger: Ledger,
    config: DownloadConfig | None,
    progress: Progress,
    sleep: Callable[[float], None],
    tell: Callable[[str], None],
) -> str:
    if each.here:
        known = ledger.files.get(each.file.name)
        size = each.target.stat().st_size
        _check(each.target, each, ledger)
        if known is None:
            ledger.record(each.file.name, "found here", digest(each.target, "sha256"), size)
        return f"{each.target}: here already, {size:,} bytes"
    download(
        each.url, each.target, config=config, progress=progress, sleep=sleep, tell=tell,
        check=lambda part: _check(part, each, ledger),
    )  # fmt: skip
    size = each.target.stat().st_size
    how = "checked" if each.file.checksum or each.file.name in ledger.files else "recorded"
    ledger.record(each.file.name, each.url, digest(each.target, "sha256"), size)
    return f"{each.target}: {size:,} bytes, checksum {how}"


def _check(path: Path, each: Planned, ledger: Ledger) -> None:
    """Compare digests.

    Raises:
        DataError: When one differs.
    """
    published, known = each.file.checksum, ledger.files.get(each.file.name)
    wanted = [(published.algorithm, published.value, "the publisher gives")] if published else []
    wanted += [("sha256", known.sha256, "fetched.json has")] if known else []
    for algorithm, value, who in wanted:
        found = digest(path, algorithm)
        if found != value:
            raise DataError(
                f"{each.target.name!r} of {each.url}: {algorithm} {found}, where {who} {value}; "
                "it is not the file it should be: remove what is here and fetch again, or ask the publisher"
            )


def digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
