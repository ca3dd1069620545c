"""Cases: the images of one examination, searched for together."""

from indexer.cases.aspect import Aspect, aspect_of
from indexer.cases.hits import CaseHit, CaseImage, CaseQuery, Pair
from indexer.cases.matching import Match, case_score, match_images
from indexer.cases.search import CaseSearcher
from indexer.cases.table import CASE_COLUMNS, CaseTable, case_column, case_of

__all__ = [
    "CASE_COLUMNS",
    "Aspect",
    "CaseHit",
    "CaseImage",
    "CaseQuery",
    "CaseSearcher",
    "CaseTable",
    "Match",
    "Pair",
    "aspect_of",
    "case_column",
    "case_of",
    "case_score",
    "match_images",
]
