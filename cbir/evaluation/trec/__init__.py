"""Runs and relevance judgements in the format of TREC, that trec_eval, ir_measures and ranx read.

A run is what a system answered: ``query Q0 item rank score tag``. Qrels are what was relevant:
``query 0 item relevance``. Fields are separated by white space, a line each.
"""

from cbir.evaluation.trec.foreign import check_run, notes_of_run, search_of_run
from cbir.evaluation.trec.judged import Judged, JudgedRow, judge
from cbir.evaluation.trec.read import Qrels, Run, read_qrels, read_run
from cbir.evaluation.trec.write import write_qrels, write_run

__all__ = [
    "Judged",
    "JudgedRow",
    "Qrels",
    "Run",
    "check_run",
    "judge",
    "notes_of_run",
    "read_qrels",
    "read_run",
    "search_of_run",
    "write_qrels",
    "write_run",
]
