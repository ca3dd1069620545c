"""Learned fusion weights as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.renderers.table import columns

if TYPE_CHECKING:
    from cbir.extractors.spec import ExtractorSpec
    from indexer.fitting.fusion import FittedWeights


def render_weights(spec: ExtractorSpec, fitted: FittedWeights) -> str:
    """A line a branch: its share of the score, and the shares that parts of the groups would have given."""
    rows = [["branch", "weight", "of other parts"]]
    for number, branch in enumerate(spec.branches):
        there = [fold[number] for fold in fitted.spread]
        share = f"{fitted.learned.weights[number]:.3f}"
        rows.append([branch.backbone, share, f"{min(there):.3f} to {max(there):.3f}"])
    return columns(rows)


def weights_in_a_line(fitted: FittedWeights, k: int) -> str:
    """What learned weights gain over equal ones."""
    paired = fitted.paired
    test = paired.comparison
    interval = f" [{test.interval.low:+.4f}, {test.interval.high:+.4f}]" if test.interval else ""
    return (
        f"macro P@{k} of {paired.n_queries} queries: {paired.value:.4f} learned without the query's fold, "
        f"{paired.other:.4f} equal; difference {test.difference:+.4f}{interval}, p = {test.p_value:.3f}"
    )
