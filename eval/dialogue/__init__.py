"""Dialogue evaluation: recorded conversations in, Recall@k and NDCG@k of the agent's answers out."""
