"""torchvision imports beside a CPU-only torch, in this process, in a fresh one and in a spawned worker."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

PROGRAM = """
import open_clip
from transformers import CLIPImageProcessor, CLIPModel, CLIPProcessor
import torchvision.transforms.functional as F, torch
assert F.resize(torch.zeros(3, 8, 8), [4, 4]).shape == (3, 4, 4)
print(CLIPModel.__name__)
"""


def _import_clip() -> str:
    import open_clip
    from transformers import CLIPModel

    return f"{open_clip.__name__} {CLIPModel.__name__}"


def test_a_fresh_interpreter(tmp_path):
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "CLIPModel"


def test_a_spawned_worker():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(_import_clip).result(timeout=120) == "open_clip CLIPModel"


def test_an_interpreter_that_never_imports_torchvision_loads_nothing_heavy():
    program = "import sys; print(sorted({'torch', 'numpy', 'torchvision'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
