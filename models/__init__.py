"""Interactions and vectors become scores."""
