"""`--help` answers at once: it loads nothing that takes long to load."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from eval.config import EvalConfig
from eval.contenders import names
from eval.metrics import COLD_NAME, LIST_NAMES, METRIC_NAMES, WHOLE_NAMES
from vitrine.cli.commands import commands
from vitrine.cli.train_encoders import ENCODERS

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


def test_the_help_of_train_explains_everything_it_can_fit(run):
    said = run("train", "--help").out
    assert all(f"\n  {what}{mark}" in said for what, mark in [("recommender", " ("), *((w, ": ") for w in ENCODERS)])


def test_the_help_of_eval_names_every_model_and_metric(run):
    said = set(re.findall(r"[\w@-]+", re.sub(r"-\n\s+", "-", run("eval", "--help").out)))
    assert set(names()) <= said
    assert {*METRIC_NAMES, COLD_NAME, *LIST_NAMES, *WHOLE_NAMES, "auc"} <= {name.partition("@")[0] for name in said}
    assert set(EvalConfig().metrics) <= said


@pytest.mark.parametrize("path", [(), ("import",), ("models",)], ids=" ".join)
def test_without_a_command_the_help_is_shown(run, path):
    ran = run(*path)
    assert ran.code == 2 and ran.err.startswith(f"Usage: {' '.join(['vitrine', *path])} ") and "Commands:" in ran.err


@pytest.mark.parametrize("path", [*commands(), ()], ids=" ".join)
def test_an_unknown_option_is_one_line_of_every_command(path, run):
    ran = run(*path, "--no-such\x1b-option")
    assert ran.line.startswith("no such option: --no-such") and ran.err.count("\n") == 1 and "\x1b" not in ran.err
    assert ran.line.endswith(f"; {' '.join(['vitrine', *path])} --help shows what would be valid")


MISTAKES = {
    "command": (["capton"], "no such command 'capton'. Did you mean 'caption', 'chat'? vitrine --help shows"),
    "inner command": (["import", "tabel"], "no such command 'tabel'"),
    "argument": (["preview"], "missing argument 'path'; vitrine preview --help"),
    "one argument": (["compare", "a.json"], "missing argument 'second'"),
    "option": (["import", "vectors", "v.npy"], "missing option '--space'"),
    "number": (["preview", "a.csv", "--rows", "many"], "invalid value for '--rows'"),
    "bound": (["chat", "hello", "--top-n", "0"], "invalid value for '--top-n'"),
    "choice": (["preview", "a.csv", "--kind", "thing"], "'--kind': 'thing' is not one of 'items', 'interactions'"),
    "value": (["eval", "--json"], "option '--json' requires an argument"),
    "moment": (["train", "--as-of", "noon"], "invalid value for '--as-of'"),
    "too much": (["doctor", "now"], "got unexpected extra argument"),
    "two pairs": (["doctor", "--set", "seed=1", "log_level=debug"], "its own: --set log_level=debug would be valid"),
    "two pairs, =": (["doctor", "--set=seed=1", "a.b=2"], "every setting has a --set of its own: --set a.b=2 would be"),
    "two pairs of train": (["train", "--set", "seed=1", "a.b=2"], "of its own: --set a.b=2 would be valid"),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_command_line_is_one_line(run, arguments, said):
    ran = run(*arguments)
    assert said in ran.line and ran.err.count("\n") == 1 and not ran.out


def test_the_package_runs_as_a_module(tmp_path):
    done = subprocess.run([sys.executable, "-m", "vitrine", "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[0]) == (0, "vitrine")
