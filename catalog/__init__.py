"""The nouns, where they rest and how they come in."""
