"""Qdrant: the engine in this process or on a server; both name candidates, the embeddings give the scores."""
