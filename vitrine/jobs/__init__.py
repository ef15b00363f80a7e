"""The long jobs of the store, each with the implementation the settings choose."""

from vitrine.jobs.caption import caption_store, store_captions
from vitrine.jobs.embed import embed_store
from vitrine.jobs.generate import generate_boutique
from vitrine.jobs.index import index_store
from vitrine.jobs.scope import WHOLE, Scope
from vitrine.jobs.told import failure_lines, job_text, reason_lines
from vitrine.jobs.train import train_store

__all__ = [
    "WHOLE",
    "Scope",
    "caption_store",
    "embed_store",
    "failure_lines",
    "generate_boutique",
    "index_store",
    "job_text",
    "reason_lines",
    "store_captions",
    "train_store",
]
