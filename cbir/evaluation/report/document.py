"""A report's charts as plain values, for a JSON document."""

from __future__ import annotations

from collections.abc import Iterable

from cbir.evaluation.plain import plain_ends, plain_number
from cbir.evaluation.report.class_bars import ClassBar
from cbir.evaluation.report.extremes import Asked
from cbir.evaluation.report.map2d import Map
from cbir.evaluation.report.report import Report


def report_document(report: Report) -> dict[str, object]:
    """What the charts show, without pictures; a value that does not apply is None.

    Returns:
        ``curve`` (a list over k), ``class_bars``, ``confusion``, ``map`` (None without one), ``extremes``.
    """
    curve, confusion = report.curve, report.confusion
    return {
        "curve": [
            {
                "k": k,
                "value": plain_number(value),
                "interval": plain_ends(interval),
                "random": plain_number(random),
            }
            for k, (value, interval, random) in enumerate(
                zip(curve.values, curve.intervals, curve.random, strict=True), start=1
            )
        ],
        "class_bars": [_bar(bar) for bar in report.bars],
        "confusion": {
            "classes": list(confusion.classes),
            "shares": [_numbers(row) for row in confusion.shares.tolist()],
            "gallery": _numbers(confusion.gallery.tolist()),
        },
        "map": None if report.map is None else _map(report.map, report.classes),
        "extremes": {
            "best": [_asked(asked) for asked in report.extremes.best],
            "worst": [_asked(asked) for asked in report.extremes.worst],
        },
    }


def _bar(bar: ClassBar) -> dict[str, object]:
    return {
        "label": bar.label,
        "n_queries": bar.n_queries,
        "n_gallery": bar.n_gallery,
        "value": plain_number(bar.value),
        "interval": plain_ends(bar.interval),
        "random": plain_number(bar.random),
    }


def _map(shown: Map, classes: tuple[str, ...]) -> dict[str, object]:
    points = zip(shown.ids, shown.codes.tolist(), shown.points.tolist(), strict=True)
    return {
        "method": "t-SNE",
        "n_items": shown.n_there,
        "points": [
            {"id": item_id, "label": classes[code], "x": round(x, 4), "y": round(y, 4)}
            for item_id, code, (x, y) in points
        ],
    }


def _asked(asked: Asked) -> dict[str, object]:
    return {
        "id": asked.query.id,
        "label": asked.query.label,
        "precision": plain_number(asked.precision),
        "average_precision": plain_number(asked.average_precision),
        "hits": [{"rank": hit.rank, "id": hit.id, "label": hit.label} for hit in asked.hits],
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [plain_number(value) for value in values]
