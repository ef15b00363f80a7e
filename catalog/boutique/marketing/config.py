"""`MarketingConfig`: how many films the generated shop runs, and how often they are seen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MarketingConfig(BaseModel):
    """Parameters of the generated films; with the boutique's own config the same values give the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_films: int = Field(150, ge=1, le=5_000)
    """Films, three creatives of each campaign."""
    n_impressions: int = Field(60_000, ge=0, le=10_000_000)
    """Times a film is put in front of somebody."""
    size: int = Field(96, ge=64, le=512, multiple_of=2)
    """Side of a film in pixels."""
    rate: int = Field(6, ge=2, le=30)
    """Frames a second; a film lasts four to six seconds."""
