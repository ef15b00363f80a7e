"""How far settings of the linear models reach: beyond, float32 overflows or loses everything else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Regularisation = Annotated[float, Field(ge=1e-6, le=1e9)]
"""lambda on the diagonal of a matrix that is solved."""

Weight = Annotated[float, Field(ge=0, le=1e9)]
"""What one kind of evidence counts beside another; 0 leaves it out, and a negative one would have no root."""
