"""Videos to vectors: frames through a temporal transformer, and what a film's click-through is likely to be."""
