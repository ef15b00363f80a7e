"""Readers: files of other projects and shops become a catalogue."""
