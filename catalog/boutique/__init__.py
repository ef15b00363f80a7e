"""The embedded shop: generated, seeded, honest about it."""
