"""Where the attribute heads stand in a store, and who is whose."""

CATALOGUE = "encoders/catalogue"
"""Attribute heads: `heads.safetensors`, `heads.json` and `scopes.parquet`."""
SCOPES_FILE = "scopes.parquet"
"""`item_id` and `fold` of every item: which sibling and which heads never saw it nor its variants; `WHOLE` where those
trained on everything did not."""
WHOLE = -1
"""Stands for `encoders/clip` and the heads trained on everything: for pictures that are no item's, and for items that
came after the training."""
