"""What the pages of all cards are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.evaluation.report.page.figures import number, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.evaluation.summary import Estimate
    from cbir.images.steps import JSON
    from cbir.training.material import Material


def estimate_cells(estimate: Estimate) -> list[str]:
    """A measure in four cells: value, interval, random, majority."""
    chances = number(estimate.random), number(estimate.majority)
    return [number(estimate.value), span(estimate.interval), *chances]


def left_out(material: Material, unread: Mapping[str, int]) -> list[str]:
    """Lines on the images that were not used, and an empty one; none where all were."""
    counts = {
        "without a label": material.n_unlabelled,
        "without a part": material.n_outside,
        **{f"unreadable ({reason})": count for reason, count in unread.items()},
    }
    lines = [f"left out {what}: {count}" for what, count in counts.items() if count]
    return [*lines, ""] if lines else []


def in_words(chosen: Mapping[str, JSON]) -> str:
    """What a choice says of itself, in a line."""
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in chosen.items()
    )


def table(header: Sequence[str], rows: Sequence[Sequence[JSON]]) -> list[str]:
    """Lines of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell(each) for each in line) + " |" for line in lines]


def cell(value: JSON) -> str:
    """Text of strangers, so that it stays one cell."""
    from cbir.printable import printable

    text = printable(str(value))
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
