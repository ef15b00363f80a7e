"""Queries of text, voice, picture and video in any mix: read, turned into vectors and words, searched by both."""
