"""Measuring retrieval: the protocol, the measures, chance beside them, and how sure a number is."""
