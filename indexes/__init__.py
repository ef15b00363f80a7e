"""Vectors and words become candidates."""
