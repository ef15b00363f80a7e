"""`--help` answers at once: it loads nothing that takes long to load."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from eval.config import EvalConfig
from eval.metrics import COLD_NAME, LIST_NAMES, METRIC_NAMES, WHOLE_NAMES
from models import registry
from vitrine.cli.commands import commands

HEAVY = (
    "torch", "transformers", "faiss", "lightgbm", "llama_index", "open_clip", "sentence_transformers", "ray",
    "numpy", "polars", "scipy", "PIL", "av", "fastapi", "openai", "httpx",
)  # fmt: skip
CODE = """
import sys
from vitrine.cli import main
try:
    main(sys.argv[2:])
except SystemExit as left:
    assert not left.code, left.code
print("HEAVY", [name for name in sys.argv[1].split(",") if name in sys.modules])
"""


def test_help_loads_no_library_that_takes_long(tmp_path):
    for arguments in (["--help"], ["import", "--help"], ["chat", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", CODE, ",".join(HEAVY), *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("path", [*commands(), ()], ids=" ".join)
def test_every_command_has_help(path, run):
    ran = run(*path, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: {' '.join(['vitrine', *path])} ")
    assert "--help" in ran.out


def test_the_help_of_eval_names_every_model_and_metric(run):
    said = set(re.findall(r"[\w@-]+", re.sub(r"-\n\s+", "-", run("eval", "--help").out)))
    assert set(registry.names()) <= said
    assert {*METRIC_NAMES, COLD_NAME, *LIST_NAMES, *WHOLE_NAMES, "auc"} <= {name.partition("@")[0] for name in said}
    assert set(EvalConfig().metrics) <= said


def test_without_a_command_the_help_is_shown(run):
    assert "Commands:" in run().out + run().err


def test_an_unknown_command_is_a_usage_error(run):
    ran = run("capton")
    assert ran.code == 2 and "capton" in ran.err and "Traceback" not in ran.err
