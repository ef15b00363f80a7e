"""Where the trained picture-text models stand in a store."""

CLIP = "encoders/clip"
"""The model trained on the whole catalogue, an open_clip folder."""
CLIP_FOLDS = "encoders/clip-folds"
"""Siblings `fold-0/` to `fold-(K-1)/`, each an open_clip folder that never saw the items of its fold."""
FOLDS_FILE = "folds.parquet"
"""`item_id` and `fold` of every item of the catalogue, beside the siblings."""
