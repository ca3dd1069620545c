"""From a planned training to a run: train, calibrate, publish, measure on the test part, tell."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cbir.durable import write_text
from cbir.errors import ItemsError
from cbir.training.feeding.decoded import CachedPlan, branch_plans, decode_images
from cbir.training.run.folder import RunFolder
from cbir.training.run.records import page_text, write_skipped
from cbir.training.run.tables import table_of_split
from classifiers.evaluation.judged import judge
from classifiers.evaluation.summary import Summary, summarise
from classifiers.predictions import write_predictions
from classifiers.tables import OF_RUN
from classifiers.training.card import Card, card_json, card_text
from classifiers.training.fitting import fit_classifier
from classifiers.training.plan import check_images

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.images.decoding import Unread
    from cbir.images.steps import JSON
    from cbir.training.feeding.decoded import Decoded
    from cbir.training.run.options import RunOptions, Watcher
    from classifiers.predictions import Predictions
    from classifiers.training.fitting import Fitted
    from classifiers.training.plan import Planned

_LEAST_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run that came to its end.

    Args:
        unread: files that were left out.
        n_images: that were not.
        card: what the run says of itself.
    """

    unread: tuple[Unread, ...]
    n_images: int
    card: Card


def train(
    planned: Planned, path: Path, options: RunOptions, watch: Watcher, *, resume: bool
) -> Finished | None:
    """Train a classifier, and leave a run; with its ``classifier.json`` the folder is one.

    Interrupted, the folder keeps the checkpoints of the best epoch and of the last, and the same call with
    ``resume`` goes on. Each of the processes in ``options`` must call it with the same.

    Args:
        planned: what is trained.
        path: of the run's folder.
        options: how.
        watch: told how it goes.
        resume: go on where there is something to go on with.

    Returns:
        What came of it; None where the run was finished before, and nothing was done.

    Raises:
        CbirError: in one line, what is wrong and what to do.
        OSError: the disk refused.
    """
    began = time.monotonic()
    once = options.processes.once
    with ExitStack() as stack:
        run = once(lambda: stack.enter_context(RunFolder.open(path, planned.begun, resume=resume)))
        if once(lambda: run.is_finished):
            return None
        once(lambda: write_text(run.recipe, page_text(planned.recipe.to_dict())))
        watch.begin("decoding", len(planned.material.images))
        decoded = once(lambda: _decode(planned, options, watch))
        _check_decoded(planned, decoded)
        fitted = fit_classifier(planned, decoded, run, options, watch, resume=resume)
        return once(
            lambda: _tell(planned, run, options, _Done(decoded, fitted, _predict(run.path, decoded), began))
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    """Everything that there is to tell of."""

    decoded: Decoded
    fitted: Fitted
    test: Predictions
    began: float


def _decode(planned: Planned, options: RunOptions, watch: Watcher) -> Decoded:
    start = planned.start
    return decode_images(
        planned.material,
        [
            *branch_plans(planned.branch, planned.recipe.cache_px),
            *(CachedPlan(each.preprocess) for each in start.descriptors),
        ],
        options.cache,
        read=start.read,
        decoding=options.decoding,
        on_file=watch.advance,
    )


def _check_decoded(planned: Planned, decoded: Decoded) -> None:
    """See that the images which could be read are enough."""
    if decoded.unread and not decoded.material.images:
        first = decoded.unread[0]
        raise ItemsError(
            f"{planned.material.source}: none of {len(decoded.unread)} images can be prepared; {first.path}: "
            f"{first.reason}, {first.detail}"
        )
    check_images(planned.recipe, decoded.material)


def _predict(folder: Path, decoded: Decoded) -> Predictions:
    """Ask what was published, and write the tables; gives the test part's."""
    from classifiers.classifier import open_classifier
    from classifiers.training.answering import predict_part

    classifier = open_classifier(folder)
    for part in ("val", "test"):
        table = predict_part(classifier, decoded, part)
        write_predictions(folder / OF_RUN[part], table)
    return table


def _measured(predictions: Predictions, seed: int) -> Summary | None:
    """Of a part; None where it has fewer than two classes."""
    if len(set(predictions.labels)) < _LEAST_CLASSES:
        return None
    return summarise(judge(predictions, OF_RUN["test"]), seed=seed)


def _tell(planned: Planned, run: RunFolder, options: RunOptions, done: _Done) -> Finished:
    """Measure on the test part, and write the card: the last thing of a run."""
    recipe, decoded, best = planned.recipe, done.decoded, done.fitted.trained.best
    material, spec = decoded.material, done.fitted.spec
    chosen: dict[str, JSON] = {
        "epoch": best.epoch,
        "of epochs": len(done.fitted.trained.history),
        "stage": best.stage,
        "macro F1": best.macro_f1,
        "validation loss": best.validation_loss,
        "temperature": spec.temperature,
    }
    card = Card(
        recipe=recipe.to_dict(),
        recipe_sha256=recipe.sha256,
        spec=spec,
        start=[file.ref for file in planned.start.weights],
        material=material,
        data_hash=material.data_hash(decoded.contents),
        unread=Counter(str(each.reason) for each in decoded.unread),
        chosen=chosen,
        measured=_measured(done.test, recipe.seed),
        seed=recipe.seed,
        device=options.torch_device,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.monotonic() - done.began,
    )
    write_skipped(run.skipped, decoded.unread)
    write_text(run.split, table_of_split(material, decoded.contents))
    write_text(run.card_text, card_text(card))
    write_text(run.card, card_json(card))
    return Finished(decoded.unread, len(material.images), card)
