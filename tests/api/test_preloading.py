"""The fork server imports and does nothing else: no thread is there that a fork would lose."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from api.config import ApiConfig
from api.preloading import start_context
from vitrine.libraries import SERVING, shared_libraries
from vitrine.settings import EmbeddingSettings, Settings

COUNT = """
import importlib, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
tasks = os.listdir("/proc/self/task")
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in tasks]
print(sorted(name for name in names if name != "jemalloc_bg_thd"), "polars" in sys.modules)
"""
"""The threads of jemalloc and of OpenBLAS are their own care: both know of forks, and start them anew in a child."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc, which is Linux's")
def test_what_workers_share_starts_no_thread() -> None:
    names = shared_libraries(Settings())
    asked, alone = [sys.executable, "-c", COUNT, *names], {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run(asked, capture_output=True, text=True, check=True, env=alone).stdout
    assert told.strip() == "['python'] False", names


def test_a_library_that_starts_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="'polars' starts threads"):
        start_context(["polars"])
    assert start_context([]).get_start_method() == "spawn"


def test_torch_is_left_out_where_a_gpu_is_asked_for() -> None:
    on_gpu = EmbeddingSettings.model_validate({"minilm": {"device": "cuda"}})
    assert shared_libraries(Settings(embedding=on_gpu)) == SERVING
    assert "torch" in shared_libraries(Settings())
    assert shared_libraries(Settings(api=ApiConfig(share_libraries=False))) == ()
