"""The blend of an attached classifier, tuned on a part of the index and kept with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from cbir.errors import ItemsError
from classifiers.attached import AttachedSettings, Tuned
from classifiers.rerank.tuning import BlendTuning, tune_blend
from cli.told import Telling
from deploy.labelling.attached import attached_classifier
from indexer.asking.reranked import Reranking
from indexer.fitting.refinement import validation_plan
from indexer.study import StudyPlan, study_index

if TYPE_CHECKING:
    from cbir.evaluation.protocol import Study
    from classifiers.attached import AttachedClassifier
    from indexer.index import Index
    from indexer.storage.records import JSON
    from indexer.writer import IndexWriter


def tune_attached(
    index: Index, name: str, plan: StudyPlan, queries: str, *, depth: int, seed: int
) -> tuple[BlendTuning, Tuned]:
    """Try blends on a validation part; what came of it, and what is to be kept of that.

    Args:
        index: with the classifier.
        name: that it is attached under.
        plan: who asks; with an empty label that of the attachment.
        queries: who asks, as the user said it.
        depth: how many hits are ordered anew.
        seed: of intervals and permutations.

    Raises:
        ItemsError: no validation part, or one that the classifier learned from or was never asked about.
        AttachmentError: no such classifier.
    """
    there = attached_classifier(index, name)
    plan = validation_plan(index, replace(plan, label=plan.label or there.settings.label or "label"))
    _check(there, index, plan)
    telling = Telling("blends tried")

    def study_of(blend: float) -> Study:
        reranking = Reranking(there.reranker(blend=blend), depth) if blend else None
        study = study_index(index, plan, reranking=reranking, tells_leak=False)
        telling.one()
        return study

    tuning = tune_blend(study_of, seed=seed)
    best = tuning.best
    tuned = Tuned(
        queries=queries,
        label=plan.label,
        k=plan.k,
        n_queries=len(tuning.plain.query_ids),
        difference=float(best.paired.comparison.difference) if best else 0.0,
        p_holm=float(best.p_holm) if best else 1.0,
        generation=index.generation,
    )
    return tuning, tuned


def keep_blend(writer: IndexWriter, name: str, blend: float, tuned: Tuned) -> None:
    """Write the blend to the index."""
    before = AttachedSettings.from_dict(writer.attachment(name).settings)
    after = replace(before, blend=blend, tuned=tuned)
    writer.set_attachment(name, cast("JSON", after.to_dict()))
    writer.commit()


def _check(there: AttachedClassifier, index: Index, plan: StudyPlan) -> None:
    import numpy as np

    if plan.queries is None:
        raise RuntimeError("A validation plan names who asks.")
    ids = [item.id for item in plan.queries.of(list(index.items()), str(index.path))]
    n_learned = int(there.learned_from(ids).sum())
    if n_learned:
        raise ItemsError(
            f"{there.name} learned from {n_learned} of the {len(ids)} items of {plan.queries}: it would be "
            "trusted too much. Name a validation part that it has not seen, such as split=val."
        )
    if np.isnan(there.posteriors(ids)).any(axis=1).all():
        raise ItemsError(
            f"{there.name} was asked about none of the {len(ids)} items of {plan.queries}: run cbir classify "
            "attach again."
        )
