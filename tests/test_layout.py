"""Our top-level names are ours alone, and what is imported is this checkout."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PYPROJECT["tool"]["importlinter"]["root_packages"]


def test_the_lists_of_packages_agree() -> None:
    assert PYPROJECT["tool"]["mypy"]["packages"] == PACKAGES
    assert PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(PACKAGES)


def test_no_installed_distribution_claims_our_names() -> None:
    claimed = importlib.metadata.packages_distributions()
    foreign = {name: claimed[name] for name in PACKAGES if set(claimed.get(name, [])) - {"vitrine"}}
    assert foreign == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_imported_from_the_checkout(package: str, tmp_path: Path) -> None:
    code = f"import {package}; print({package}.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == ROOT / package / "__init__.py"


def test_importing_a_package_loads_no_heavy_library(tmp_path: Path) -> None:
    heavy = ["torch", "transformers", "faiss", "lightgbm", "llama_index", "open_clip", "sentence_transformers", "ray"]
    code = f"import sys, {', '.join(PACKAGES)}, vitrine.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_gitignore_never_hides_a_code_folder() -> None:
    paths = [f"{name}/any.py" for name in PACKAGES] + ["tests/any.py", "catalog/boutique/store.py", "models/store/x.py"]
    done = subprocess.run(["git", "check-ignore", "--no-index", *paths], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


def test_nobody_is_told_to_install_a_strangers_package_of_our_name() -> None:
    # We are on no package index, where the name belongs to others: extras are installed from the checkout.
    ours = [path for name in (*PACKAGES, "docs", "tests") for path in (ROOT / name).rglob("*.[pm][yd]")]
    pages = [*ours, ROOT / "README.md", ROOT / "pyproject.toml", ROOT / "Makefile"]
    assert len(pages) > 100
    wrong = re.compile("vitrine" + r"\\?\[(ray|voice|gpu|mllm)|pip install ['\"]?vitrine" + r"\b")
    assert [str(page) for page in pages if wrong.search(page.read_text(encoding="utf-8"))] == []
