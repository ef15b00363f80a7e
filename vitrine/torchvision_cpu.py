"""Let a CUDA-built torchvision import beside a CPU-only torch.

Such a pair fails with "operator torchvision::nms does not exist", and takes every transformers and
open_clip model class down with it. Just before torchvision is first imported, an import hook declares
the two operator schemas its Python layer registers shapes for. It does nothing on a CUDA torch or a
CPU-built torchvision. The operators stay unimplemented: `torchvision.ops` and `torchvision.io` do not
work on such a machine, transforms do.

`vitrine_torchvision.pth`, installed beside this package, calls `install` at interpreter start, so that
child processes (spawned workers, servers) have it as well. Until torchvision is imported the cost is
one entry in `sys.meta_path`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class TorchvisionHook:
    """A meta path finder that finds nothing; it only acts when `torchvision` is about to load."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Declare the operators if they will be missing, and leave the import to the ordinary finders."""
        if name == "torchvision" and self in sys.meta_path:
            sys.meta_path.remove(self)
            declare_missing_operators()
        return None


def install() -> None:
    """Put the hook in place once; harmless when torchvision is loaded already."""
    if "torchvision" not in sys.modules and not any(isinstance(f, TorchvisionHook) for f in sys.meta_path):
        sys.meta_path.insert(0, TorchvisionHook())


def declare_missing_operators() -> bool:
    """Declare `torchvision::nms` and `qnms` where the installed pair needs it; return whether it did."""
    if not _built_for_cuda():
        return False
    import torch

    if torch.version.cuda is not None:
        return False
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    # torch forgets the schemas when the library object goes, so it stays with the torch module.
    torch._vitrine_torchvision_operators = library  # type: ignore[attr-defined]
    return True


def _built_for_cuda() -> bool:
    """Whether the installed torchvision says `+cu...` in its version, read without importing it."""
    import importlib.util
    import re
    from pathlib import Path

    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    version = Path(spec.submodule_search_locations[0]) / "version.py"
    return version.exists() and re.search(r"__version__\s*=\s*['\"][^'\"]*\+cu\d", version.read_text()) is not None
