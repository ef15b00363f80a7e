"""`BoutiqueConfig`: how large the generated shop is, and which seed it grows from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BoutiqueConfig(BaseModel):
    """Parameters of the generated shop; the same values always give the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(7, ge=0, description="Everything is drawn from this; another seed is another shop.")
    n_items: int = Field(720, ge=48, le=20_000, description="Products on sale, spread evenly over the categories.")
    n_users: int = Field(2_000, ge=1, le=200_000, description="Shoppers.")
    n_events: int = Field(60_000, ge=0, le=5_000_000, description="Dated events aimed at, within a few percent.")
    n_categories: int = Field(16, ge=2, le=16, description="How many of the sixteen categories are stocked.")
    days: int = Field(182, ge=14, le=730, description="Length of the event log; its last day is fixed.")
    variant_share: float = Field(0.15, ge=0, le=0.8, description="Share of items that are a colour variant of another.")
    video_share: float = Field(0.20, ge=0, le=1, description="Share of items with a film.")
    new_share: float = Field(0.22, ge=0, le=1, description="Share of items launched while the log runs.")
    image_size: int = Field(320, ge=64, le=1024, description="Side of a picture in pixels.")
    video_size: int = Field(208, ge=64, le=512, multiple_of=2, description="Side of a film in pixels.")
    video_frames: int = Field(24, ge=2, le=240, description="Frames in a film, shown at 12 a second.")
    jpeg_quality: int = Field(90, ge=30, le=100, description="Quality of the pictures; size on disk only.")
