"""Measuring predictions: numbers with intervals and chance, comparisons, curves."""
