"""Verifiable tasks for the agent: generated from a catalogue, acted by a scripted shopper, judged without a model."""
