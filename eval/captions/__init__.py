"""The caption scoreboard: what each captioner, prompt and embedder buys on a shop's own log."""
