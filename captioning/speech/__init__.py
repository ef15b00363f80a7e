"""Speech to words: voice is found first, a model hears only where there is some, and its words are checked."""
