"""The two-stage pipeline: retrieve, unite, rank, diversify; `run.run` is the door."""
