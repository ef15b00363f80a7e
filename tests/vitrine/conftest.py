"""A shop of six things, and the console command in this process."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
from PIL import Image, ImageDraw

from vitrine.cli import main

ITEMS = (
    ("V01", "Blue vase", "A tall blue vase of glazed clay", "35.00", "Klara", "Vases", "blue"),
    ("V02", "Red vase", "A round red vase", "25", "Klara", "Vases", "red"),
    ("M01", "Green mug", "A green mug with stripes", "12.50", "Potter", "Mugs", "green"),
    ("M02", "White mug", "A plain white mug", "8", "Potter", "Mugs", "white"),
    ("L01", "Brass lamp", "A lamp of brass", "120", "Lumo", "Lamps", "orange"),
    ("L02", "Black lamp", "A black desk lamp", "60", "Lumo", "Lamps", "black"),
)
EVENTS = 40
SHOPPERS = 8


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of a refused command; the last of its standard error where progress came before."""
        assert self.code == 2, self
        assert "Traceback" not in self.err, self
        *before, last = self.err.splitlines()
        assert not [text for text in before if text.startswith("error:")], self
        assert last.startswith("error: "), self
        return last.removeprefix("error: ")


Run = Callable[..., Ran]


def run_command(*arguments: object) -> Ran:
    """Run `vitrine <arguments>` here; what it does to the logs is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([str(argument) for argument in arguments])
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    return Ran(code, out.getvalue(), err.getvalue())


def write_shop(folder: Path) -> None:
    """Write `items.csv`, `interactions.csv` and `images/`."""
    (folder / "images").mkdir(parents=True)
    rows = ["item_id,title,description,price,currency,brand,categories"]
    for item_id, title, description, price, brand, category, colour in ITEMS:
        rows.append(f"{item_id},{title},{description},{price},EUR,{brand},{category}")
        picture = Image.new("RGB", (64, 64), "ivory")
        ImageDraw.Draw(picture).ellipse((12, 12, 52, 52), fill=colour)
        picture.save(folder / "images" / f"{item_id}.png")
    (folder / "items.csv").write_text("\n".join(rows) + "\n")
    rng = random.Random(0)
    lines = ["user_id,item_id,timestamp,kind"]
    for n in range(EVENTS):
        lines.append(f"u{n % SHOPPERS},{rng.choice(ITEMS)[0]},{1_700_000_000 + n * 3600},purchase")
    (folder / "interactions.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session", autouse=True)
def commands_are_built_once() -> Iterator[None]:
    """Typer builds all of them, 70 ms, for each that is run; a process of a shop's runs one."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("typer.main.get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def quiet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts in an empty folder and without any `VITRINE_` variable."""
    _clear_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def run() -> Run:
    return run_command


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files of the shop, not yet imported."""
    write_shop(tmp_path / "files")
    return tmp_path / "files"


@dataclass(frozen=True)
class Life:
    """A shop's whole life: its folder, and what each command said."""

    folder: Path
    ran: Mapping[str, Ran]
    fast: tuple[str, ...]

    @property
    def store(self) -> Path:
        return self.folder / "store"


STAGES: tuple[tuple[str, ...], ...] = (
    ("caption",),
    ("embed",),
    ("index",),
    ("train",),
    ("eval", "--models", "popularity,itemknn,lirdrec", "--protocol", "mmrec", "--protocol", "last", "--json", "r.json"),
)
FAST = ("--set", 'models.overrides={"lirdrec": {"max_epochs": 5, "epochs": 5, "dim": 8}}')


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Import, caption, embed, index, train, evaluate: once for all tests; nobody changes it."""
    folder = tmp_path_factory.mktemp("life")
    write_shop(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _clear_environment(monkeypatch)
        monkeypatch.chdir(folder)
        tables = ("--items", "items.csv", "--interactions", "interactions.csv", "--images", "images/{item_id}.png")
        ran = {"import": run_command("import", "table", *tables, "--store", "store")}
        for stage in STAGES:
            ran[stage[0]] = run_command(*stage, "--store", "store", *FAST)
    yield Life(folder, ran, FAST)


@pytest.fixture
def store(life: Life, tmp_path: Path) -> Path:
    """A copy of the finished store, to be hurt."""
    shutil.copytree(life.store, tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """What a folder holds: every file but the live events (SQLite keeps its own house)."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith("events.sqlite")
        }

    return read


def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("VITRINE_"):
            monkeypatch.delenv(name)
