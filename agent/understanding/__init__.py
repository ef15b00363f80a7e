"""A shopper's message becomes acts and an intent state, from the catalogue's own vocabulary; no LLM."""
