"""The road to reality: real data, real models, one command from nothing to a served shop."""
