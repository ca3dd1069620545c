"""Searching better by looking twice: at the gallery, at the query, at the list. Each is off by default."""

from indexer.refine.refined import REFINEMENTS, refined_gallery, refined_search
from indexer.refine.refinement import Gallery, Refinement
from indexer.refine.wording import parse_grid, parse_refinements, wording

__all__ = [
    "REFINEMENTS",
    "Gallery",
    "Refinement",
    "parse_grid",
    "parse_refinements",
    "refined_gallery",
    "refined_search",
    "wording",
]
