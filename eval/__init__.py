"""Judges and never serves."""
