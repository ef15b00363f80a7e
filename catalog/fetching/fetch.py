"""`fetch`: a public data set into a folder, its terms accepted first, every file checked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import ConfigError, DataError
from catalog.fetching.archive import archive_fault, set_aside, unpack
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

    A file that is here already and as it should be is not brought again; a damaged one is, and set aside once the
    new one has come. Every digest is checked against the publisher's where there is one, and against that of the
    first fetch (`fetched.json`); an archive must be one before it is recorded, and the files unpacked from it are
    compared with it each time.

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
    can_fetch = source.by_hand is None or base is not None
    lines = []
    for each in planned:
        if each.here and (fault := _fault(each.target, each, ledger)) is not None:
            if not can_fetch:
                raise DataError(
                    f"{str(each.target)!r}, the file here, is not the one it should be: {fault}; {source.by_hand} again"
                )
            tell(f"{each.target}: the file here is not the one it should be: {fault}; it is fetched again")
            lines += _bring(each, ledger, config, progress, sleep, tell)
        elif each.here:
            lines.append(_keep(each, ledger))
        else:
            lines += _bring(each, ledger, config, progress, sleep, tell)
        if each.file.unpack:
            lines.append(unpack(each.target, folder).text())
    return lines


def _keep(each: Planned, ledger: Ledger) -> str:
    """Take the file that is here."""
    size = each.target.stat().st_size
    if each.file.name not in ledger.files:
        ledger.record(each.file.name, "found here", digest(each.target, "sha256"), size)
    return f"{each.target}: here already, {size:,} bytes"


def _bring(
    each: Planned,
    ledger: Ledger,
    config: DownloadConfig | None,
    progress: Progress,
    sleep: Callable[[float], None],
    tell: Callable[[str], None],
) -> list[str]:
    """Download a file, check it, and only then set aside what lay in its place."""
    kept: list[str] = []

    def accept(part: Path) -> None:
        fault = _fault(part, each, ledger)
        if fault is not None:
            raise DataError(
                f"{each.file.name!r} of {each.url}: {fault}; the server sent another file than it should, and nothing "
                f"of it is kept: try again later or elsewhere (--from), or remove {str(ledger.path)!r} where the "
                "publisher has a new one"
            )
        if each.target.is_file():
            kept.append(f"{set_aside(each.target)}: what was here before, set aside")

    if each.here and _is_recorded(each.target, each, ledger):
        ledger.files.pop(each.file.name, None)  # recorded as it came, and never of use
    download(each.url, each.target, config=config, progress=progress, sleep=sleep, tell=tell, check=accept)
    size = each.target.stat().st_size
    how = "checked" if each.file.checksum or each.file.name in ledger.files else "recorded"
    ledger.record(each.file.name, each.url, digest(each.target, "sha256"), size)
    return [*kept, f"{each.target}: {size:,} bytes, checksum {how}"]


def _is_recorded(path: Path, each: Planned, ledger: Ledger) -> bool:
    known = ledger.files.get(each.file.name)
    return known is not None and digest(path, "sha256") == known.sha256


def _fault(path: Path, each: Planned, ledger: Ledger) -> str | None:
    """Return how a file differs from what the publisher and an earlier fetch say, or why it is no archive."""
    published, known = each.file.checksum, ledger.files.get(each.file.name)
    wanted = [(published.algorithm, published.value, "the publisher gives")] if published else []
    wanted += [("sha256", known.sha256, "fetched.json has")] if known else []
    for algorithm, value, who in wanted:
        found = digest(path, algorithm)
        if found != value:
            return f"{algorithm} {found}, where {who} {value}"
    fault = archive_fault(path, read_all=not wanted) if each.file.unpack else None
    return None if fault is None else f"as an archive it {fault}"


def digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
