"""Exports: the store as folders that other projects read."""
