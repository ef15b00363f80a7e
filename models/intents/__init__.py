"""Intents for models: words of items, vectors of shoppers and the ranker's features, each as of a moment."""
