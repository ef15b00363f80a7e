"""The grounding gate: outside the model, between its prose and the shopper."""
