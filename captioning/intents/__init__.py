"""Intents: what reviews, searches, calls and after-service notes say shoppers want, with the words that say so."""
