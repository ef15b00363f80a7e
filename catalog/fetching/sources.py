"""Which public data sets are known, where they lie, and under which terms."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.errors import ConfigError, did_you_mean
from catalog.fetching.amazon_2023 import SIZES


@dataclass(frozen=True)
class Licence:
    """The terms of a data set, in short, and where they stand in full."""

    name: str
    text: str
    url: str


@dataclass(frozen=True)
class Checksum:
    """A digest that the publisher gives, of an algorithm `hashlib` knows."""

    algorithm: str
    value: str


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Attributes:
        path: Below the source's base address.
        name: What it is called here: no folder, nothing hidden.
        checksum: As published; None where the publisher gives none: the first fetch is recorded.
        unpack: Whether it is a zip archive whose folder is wanted.
        megabytes: About how large, as the publisher says; None where it does not say.
    """

    path: str
    name: str
    checksum: Checksum | None = None
    unpack: bool = False
    megabytes: int | None = None


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        name: As `vitrine fetch` takes it.
        about: One line.
        licence: Its terms.
        base: Address that the files' paths continue; `--from` puts another in its place.
        files: What is brought.
        then: The command that reads it, `{folder}` standing for where it was put.
        by_hand: Where no program may fetch it: what to do in a browser.
    """

    name: str
    about: str
    licence: Licence
    base: str
    files: tuple[RemoteFile, ...]
    then: str
    by_hand: str | None = None


AMAZON_TERMS = Licence(
    "Amazon Reviews (no licence stated)",
    "Collected by the McAuley Lab, UC San Diego, for research. The publisher states no licence and asks that its "
    "papers be cited; reviews and pictures remain their authors' and Amazon's. Do not redistribute.",
    "https://amazon-reviews-2023.github.io/",
)
AMAZON_2014_TERMS = Licence(AMAZON_TERMS.name, AMAZON_TERMS.text, "https://snap.stanford.edu/data/amazon/productGraph/")
MOVIELENS_TERMS = Licence(
    "MovieLens terms of use",
    "Research use with acknowledgement (Harper and Konstan, 2015). No endorsement may be implied, the data may not be "
    "used commercially without permission of GroupLens, and ml-1m and ml-100k may not be redistributed.",
    "https://grouplens.org/datasets/movielens/",
)
MICROLENS_TERMS = Licence(
    "MicroLens terms of use",
    "Research use only, citing Ni et al., 2023. No redistribution, no commercial use.",
    "https://github.com/westlake-repl/MicroLens",
)
MMREC_TERMS = Licence(
    "MMRec data (derived from Amazon Reviews 2014 and MicroLens)",
    "Offered by the authors of MMRec for research; the terms of the data they derive from hold as well.",
    "https://github.com/enoche/MMRec/tree/master/data",
)

CATEGORIES_2023 = tuple(SIZES)
CATEGORIES_2014 = {
    "Baby": "Baby",
    "Sports": "Sports_and_Outdoors",
    "Clothing": "Clothing_Shoes_and_Jewelry",
    "Electronics": "Electronics",
}
"""The four that MMRec's data sets and the LIRDRec paper use."""

MOVIELENS = {
    "ml-latest-small": None,
    "ml-100k": Checksum("md5", "0e33842e24a9c977be4e0107933c0723"),
    "ml-1m": Checksum("md5", "c4d9eecfca2ab87c1945afe126590906"),
    "ml-25m": Checksum("md5", "6b51fb2759a8657d3bfcbfc42b592ada"),
}
"""GroupLens publishes MD5 sums; that of `ml-latest-small` changes with it."""

MOVIELENS_MEGABYTES = {"ml-latest-small": 1, "ml-100k": 5, "ml-1m": 6, "ml-25m": 250}
"""As GroupLens rounds them on its page."""

MMREC = ("baby", "sports", "clothing", "elec", "microlens")


def sources() -> dict[str, Source]:
    """Return every known data set by name."""
    known = [
        *(_amazon_2023(category) for category in CATEGORIES_2023),
        *(_amazon_5core(category) for category in CATEGORIES_2023),
        *(_amazon_2014(short, category) for short, category in CATEGORIES_2014.items()),
        *(_movielens(name, checksum) for name, checksum in MOVIELENS.items()),
        _microlens(),
        *(_mmrec(name) for name in MMREC),
    ]
    return {source.name: source for source in known}


def find_source(name: str) -> Source:
    """Return one data set.

    Raises:
        ConfigError: When it is unknown; the text names the nearest.
    """
    known = sources()
    if name not in known:
        raise ConfigError(f"unknown data set {name!r}. {did_you_mean(name, list(known))}")
    return known[name]


_AMAZON_2023 = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/"


def _amazon_2023(category: str) -> Source:
    return Source(
        f"amazon-2023/{category}",
        "reviews and products, whole",
        AMAZON_TERMS,
        _AMAZON_2023,
        (
            RemoteFile(f"raw/review_categories/{category}.jsonl.gz", f"{category}.jsonl.gz"),
            RemoteFile(f"raw/meta_categories/meta_{category}.jsonl.gz", f"meta_{category}.jsonl.gz"),
        ),
        "vitrine import amazon {folder} --dedup-reviews --k-core 5 --split-rule mmrec",
    )


def _amazon_5core(category: str) -> Source:
    splits = [
        RemoteFile(f"benchmark/5core/{rule}/{category}.{part}.csv.gz", f"{category}.{rule}.{part}.csv.gz")
        for rule in ("last_out", "timestamp")
        for part in ("train", "valid", "test")
    ]
    return Source(
        f"amazon-2023-5core/{category}",
        "the published 5-core splits, and the products",
        AMAZON_TERMS,
        _AMAZON_2023,
        (*splits, RemoteFile(f"raw/meta_categories/meta_{category}.jsonl.gz", f"meta_{category}.jsonl.gz")),
        "vitrine import amazon {folder}",
    )


def _amazon_2014(short: str, category: str) -> Source:
    return Source(
        f"amazon-2014/{short}",
        "5-core reviews and products of 2014, what MMRec and the LIRDRec paper start from",
        AMAZON_2014_TERMS,
        "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/",
        (
            RemoteFile(f"reviews_{category}_5.json.gz", f"reviews_{category}_5.json.gz"),
            RemoteFile(f"meta_{category}.json.gz", f"meta_{category}.json.gz"),
        ),
        "vitrine import amazon {folder} --dedup-reviews --k-core 5 --split-rule mmrec",
    )


def _movielens(name: str, checksum: Checksum | None) -> Source:
    return Source(
        f"movielens/{name}",
        "ratings of films",
        MOVIELENS_TERMS,
        "https://files.grouplens.org/datasets/movielens/",
        (RemoteFile(f"{name}.zip", f"{name}.zip", checksum, unpack=True, megabytes=MOVIELENS_MEGABYTES[name]),),
        f"vitrine import movielens {{folder}}/{name}",
    )


def _microlens() -> Source:
    files = ("MicroLens-100k_pairs.csv", "MicroLens-100k_title_en.csv")
    return Source(
        "microlens/100k",
        "views of short videos with their titles",
        MICROLENS_TERMS,
        "https://recsys.westlake.edu.cn/MicroLens-100k-Dataset/",
        tuple(RemoteFile(name, name) for name in files),
        "vitrine import table --interactions {folder}/MicroLens-100k_pairs.csv --column item_id=item --k-core 5",
    )


def _mmrec(name: str) -> Source:
    drive = "https://drive.google.com/drive/folders/13cBy1EA_saTUuXxVllKgtfci2A09jyaG"
    return Source(
        f"mmrec/{name}",
        "MMRec's own folder, with its split and features",
        MMREC_TERMS,
        drive,
        tuple(RemoteFile(file, file) for file in (f"{name}.inter", "image_feat.npy", "text_feat.npy")),
        "vitrine import mmrec {folder}",
        by_hand=f"open {drive} in a browser, download the folder {name!r} and put its files",
    )
