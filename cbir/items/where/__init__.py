"""Conditions on items: ``view = 'MLO' and density in ('C', 'D') and age >= 50``."""

from cbir.items.where.condition import And, Compare, Condition, Known, Leaf, OneOf, Operator, Or, Scalar

__all__ = ["And", "Compare", "Condition", "Known", "Leaf", "OneOf", "Operator", "Or", "Scalar"]
