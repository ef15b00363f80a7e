"""Which data the road takes: a category of Amazon Reviews 2023, another data set that can be fetched, or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.errors import ConfigError, did_you_mean
from catalog.fetching.amazon_2023 import SIZES
from catalog.fetching.sources import Source, find_source
from catalog.readers.amazon import read_amazon
from catalog.readers.amazon_files import find_files
from catalog.readers.finishing import refine
from catalog.readers.importing import Import
from catalog.readers.mmrec import read_mmrec
from catalog.readers.refining import RefineConfig
from catalog.readers.rejects import Rejects
from catalog.readers.table import read_table
from catalog.workspace import content_key
from vitrine.real.config import RealConfig

Form = Literal["amazon", "mmrec", "table"]
TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
FETCHED_BY_ROAD = "amazon-2023/"


@dataclass(frozen=True, slots=True)
class Data:
    """What is to be imported.

    Attributes:
        name: As it is called in what is said of it.
        folder: Where its files lie, or will.
        source: What is fetched first; None: the files are there.
    """

    name: str
    folder: Path
    source: Source | None = None

    @property
    def category(self) -> str | None:
        """The category of Amazon Reviews 2023, where it is one."""
        return self.source.name.removeprefix(FETCHED_BY_ROAD) if self.source is not None else None


def find_data(named: str, config: RealConfig) -> Data:
    """Return what `named` says: a folder, or a category with or without `amazon-2023/` before it.

    Raises:
        ConfigError: When it is neither.
    """
    if not named.strip():
        raise ConfigError(
            f"data {named!r} names nothing; a category of Amazon Reviews 2023 such as 'All_Beauty', or a folder "
            "('.' is this one), would be valid"
        )
    folder = Path(named).expanduser()
    if folder.is_dir():
        return Data(folder.resolve().name, folder.resolve())
    category = named.removeprefix(FETCHED_BY_ROAD)
    if category not in SIZES:
        raise ConfigError(
            f"data {named!r} is no folder here and no category of Amazon Reviews 2023. "
            f"{did_you_mean(category, list(SIZES))}"
        )
    source = find_source(f"{FETCHED_BY_ROAD}{category}")
    return Data(source.name, (config.data / source.name.replace("/", "-")).resolve(), source)


def form_of(folder: Path) -> Form:
    """Return what a folder holds.

    Raises:
        ConfigError: When no reader knows it.
    """
    names = [path.name for path in folder.iterdir() if path.is_file()]
    if any(name.endswith(".inter") for name in names):
        return "mmrec"
    if _table(folder, "interactions") is not None:
        return "table"
    if any(name.startswith("meta_") for name in names):
        return "amazon"
    raise ConfigError(
        f"folder {str(folder)!r} holds nothing that is known; <Category>.jsonl.gz with meta_<Category>.jsonl.gz, "
        "<name>.inter, or interactions.csv with items.csv would be valid (vitrine import reads other forms)"
    )


def read_data(data: Data, config: RealConfig) -> Import:
    """Read and filter the data.

    Raises:
        DataError: When the files cannot be read, or nothing is left.
        ConfigError: When no reader knows the folder.
    """
    rules = RefineConfig(k_core=config.k_core, dedup_reviews=True)
    form = form_of(data.folder)
    if form == "amazon":
        return read_amazon(find_files(data.folder), refine=rules)
    if form == "mmrec":
        return refine(read_mmrec(data.folder, rejects=Rejects()), rules)
    imported = read_table(
        _table(data.folder, "items"), _table(data.folder, "interactions"), _table(data.folder, "users"),
        name=data.name, images=_picture_pattern(data.folder), rejects=Rejects(),
    )  # fmt: skip
    return refine(imported, rules)


def data_key(data: Data) -> str:
    """Return what tells these files from others without reading them: names, sizes and times of change."""
    files = sorted(path for path in data.folder.iterdir() if path.is_file() and path.name != "fetched.json")
    return content_key(*((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


def _table(folder: Path, stem: str) -> Path | None:
    return next((folder / f"{stem}{ending}" for ending in TABLES if (folder / f"{stem}{ending}").is_file()), None)


def _picture_pattern(folder: Path) -> str | None:
    """Return where pictures named by item id lie, `images/{item_id}.jpg`, where there is such a folder."""
    shown = folder / "images"
    if not shown.is_dir():
        return None
    first = next((path for path in sorted(shown.iterdir()) if path.suffix.lower() in PICTURES), None)
    return None if first is None else f"images/{{item_id}}{first.suffix}"
