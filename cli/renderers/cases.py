"""Cases as text, JSON, CSV and bare paths."""

from __future__ import annotations

import csv
import io
import json

from cli.renderers.case_answer import CaseAnswer
from cli.renderers.table import columns
from indexer.cases import CaseHit, Pair

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""

COLUMNS = (
    "rank", "case", "case_score", "case_label", "query", "query_kind", "score", "kind", "id", "path", "frame",
    "label", "group",
)  # fmt: skip


def render_cases(answer: CaseAnswer) -> str:
    """A line a case, its pairs at the end."""
    header = ["rank", "score", "label", "group", "case", "images", "pairs"]
    return columns(
        [header, *(_row(answer, hit) for hit in answer.hits)], keep=("rank", "score", "case", "pairs")
    )


def render_cases_json(answer: CaseAnswer) -> str:
    r"""One document, in ASCII: a byte of a file name that is not UTF-8 is ``\udcXX`` (surrogateescape)."""
    document = {
        "cbir": "cases",
        "version": VERSION,
        "query": {
            "text": answer.query,
            "case": answer.case,
            "images": [
                {"name": image.name, "kind": image.kind, "notes": list(image.notes)}
                for image in answer.images
            ],
            "skipped": [
                {"path": each.path, "reason": each.reason, "detail": each.detail} for each in answer.skipped
            ],
        },
        "column": answer.column,
        "k": answer.k,
        "index": {
            "name": answer.index.name,
            "fingerprint": answer.fingerprint,
            "generation": answer.generation,
            "cases": answer.n_cases,
        },
        "hits": [_document(answer, hit) for hit in answer.hits],
        "labels": answer.labels(),
        "notes": list(answer.notes),
        "seconds": {name: round(value, 6) for name, value in answer.seconds.items()},
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render_cases_csv(answer: CaseAnswer) -> str:
    """A line a pair; a case without one has a line with its score alone."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    for hit in answer.hits:
        fixed = (hit.rank, hit.case, f"{hit.score:.6f}", hit.label)
        for pair in hit.pairs:
            asked, item = answer.images[pair.image], pair.item
            writer.writerow(
                [
                    *fixed, asked.name, asked.kind, f"{pair.score:.6f}", pair.aspect, item.id, item.path,
                    item.frame, item.label, item.group,
                ]
            )  # fmt: skip
        if not hit.pairs:
            writer.writerow([*fixed, *[None] * (len(COLUMNS) - len(fixed))])
    return page.getvalue()


def render_cases_paths(answer: CaseAnswer) -> str:
    """The paths of all images that were paired, a line each, the best case first."""
    return "".join(f"{pair.item.path}\n" for hit in answer.hits for pair in hit.pairs)


def pair_text(answer: CaseAnswer, pair: Pair) -> str:
    """Such as ``L CC ~ L CC 0.93``."""
    return f"{answer.images[pair.image].kind} ~ {pair.aspect} {pair.score:.2f}"


def _row(answer: CaseAnswer, hit: CaseHit) -> list[str]:
    pairs = ", ".join(pair_text(answer, pair) for pair in hit.pairs)
    group = "" if answer.column == "group" else hit.group or ""
    return [str(hit.rank), f"{hit.score:.4f}", hit.label or "", group, hit.case, str(hit.n_items), pairs]


def _document(answer: CaseAnswer, hit: CaseHit) -> dict[str, object]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "case": hit.case,
        "label": hit.label,
        "group": hit.group,
        "images": hit.n_items,
        "pairs": [
            {
                "query": answer.images[pair.image].name,
                "query_kind": answer.images[pair.image].kind,
                "score": pair.score,
                "kind": str(pair.aspect),
                "id": pair.item.id,
                "path": pair.item.path,
                "frame": pair.item.frame,
                "label": pair.item.label,
                "group": pair.item.group,
                "metadata": dict(pair.item.metadata),
                "box": None if pair.box is None else list(pair.box),
            }
            for pair in hit.pairs
        ],
    }
