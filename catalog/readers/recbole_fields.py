"""Names, types and separators of RecBole's atomic files."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

FieldType = Literal["token", "token_seq", "float", "float_seq"]
FIELD_TYPES: tuple[str, ...] = get_args(FieldType)

CONFIG_FILE = "recbole.json"
"""What our export leaves beside the files: JSON is YAML, so RecBole takes it as a configuration file as it is."""


class RecBoleConfig(BaseModel):
    """How the files are written; names and defaults are RecBole's own. Each changes what is read.

    Source: RecBole documentation, "Data settings".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    USER_ID_FIELD: str = "user_id"
    """Field of the user."""
    ITEM_ID_FIELD: str = "item_id"
    """Field of the item."""
    RATING_FIELD: str = "rating"
    """Field of the rating, where there is one."""
    TIME_FIELD: str = "timestamp"
    """Field of the time, where there is one."""
    field_separator: str = Field("\t", min_length=1)
    """Between fields."""
    seq_separator: str = Field(" ", min_length=1)
    """Between the members of a sequence."""
