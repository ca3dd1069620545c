"""The network of a run: started, trained, calibrated, published."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cbir.durable import write_text
from cbir.training.run.curves import draw_curves
from classifiers.spec import ClassifierSpec
from classifiers.training.history import EpochDone, best_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cbir.training.feeding.decoded import Decoded
    from cbir.training.run.folder import RunFolder
    from cbir.training.run.options import RunOptions, Watcher
    from classifiers.networks.network import ClassifierNetwork
    from classifiers.training.feed import ClassifierFeed
    from classifiers.training.plan import Planned
    from classifiers.training.stages import Trained


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A training that has ended, and the classifier that was published."""

    trained: Trained
    spec: ClassifierSpec


def fit_classifier(
    planned: Planned, decoded: Decoded, run: RunFolder, options: RunOptions, watch: Watcher, *, resume: bool
) -> Fitted:
    """Train, fit the temperature on the validation part, and make the run's folder a classifier.

    Raises:
        CbirError: as ``train_stages``; or the exported network disagrees with its original.
        OSError: the disk refused.
    """
    options.processes.once(lambda: run.checkpoints.mkdir(exist_ok=True))
    return _Fitting(planned, run, options, watch).fit(decoded, resume=resume)


def read_history(path: Path) -> list[EpochDone]:
    """The epochs that a run's history tells; none without one."""
    if not path.is_file():
        return []
    return [EpochDone.from_dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclass(slots=True)
class _Fitting:
    """A classifier on its way."""

    planned: Planned
    run: RunFolder
    options: RunOptions
    watch: Watcher
    history: list[EpochDone] = field(default_factory=list)

    def fit(self, decoded: Decoded, *, resume: bool) -> Fitted:
        """Train to the end; the folder is then a classifier, with the best weights."""
        from cbir.training.loop.epochs import LoopSettings
        from classifiers.networks.load import start_network
        from classifiers.training.answering import describe_images
        from classifiers.training.feed import ClassifierFeed
        from classifiers.training.stages import train_stages

        recipe, start = self.planned.recipe, self.planned.start
        is_first = self.options.processes.is_first
        network = start_network(
            start,
            recipe.network,
            decoded.material.classes,
            seed=recipe.seed,
            allow_pickle=self.options.allow_pickle,
        )
        described = describe_images(start.descriptors, decoded)
        feed = ClassifierFeed(decoded, self.planned.branch, recipe, described)
        if (fitted := feed.training_described()) is not None and start.classifier is None:
            _fit_z_score(network, fitted)
        self.watch.begin("training", recipe.n_epochs)
        trained = train_stages(
            recipe,
            feed,
            network,
            self.run.checkpoints,
            settings=LoopSettings(
                device="cpu" if self.options.torch_device == "cpu" else None,
                compiles=self.options.compiles,
                on_step=self.watch.step,
            ),
            on_epoch=self._take if is_first else None,
            resumes=resume,
        )
        if is_first:
            self.history = list(trained.history)
            self._draw()
        publish = partial(self._publish, network, feed, decoded)
        return Fitted(trained, self.options.processes.once(publish))

    def _publish(self, network: ClassifierNetwork, feed: ClassifierFeed, decoded: Decoded) -> ClassifierSpec:
        from classifiers.calibration import fit_temperature
        from classifiers.exported import export_classifier, write_weights
        from classifiers.training.answering import validation_logits

        self.watch.begin("calibrating and exporting", None)
        codes = feed.codes[feed.validation]
        temperature = fit_temperature(
            validation_logits(network, feed), codes, classes=decoded.material.classes
        )
        recipe, start = self.planned.recipe, self.planned.start
        licences = dict.fromkeys(file.ref.license or "not said" for file in start.weights)
        weights = write_weights(
            network,
            self.run.path,
            name=f"{recipe.name}, from {start.name}",
            license_name=", ".join(licences),
        )
        spec = ClassifierSpec(
            name=self.run.path.absolute().name,
            network=recipe.network,
            backbones=start.backbones,
            weights=weights,
            read=start.read,
            preprocess=start.preprocess,
            classes=decoded.material.classes,
            descriptors=start.descriptors,
            is_ordinal=decoded.material.is_ordinal,
            temperature=temperature,
        )
        export_classifier(network, spec, self.run.path)
        return spec

    def _take(self, done: EpochDone) -> None:
        """Write down an epoch."""
        before = [each for each in read_history(self.run.history) if each.epoch < done.epoch]
        self.history = [*before, done]
        self._draw()
        self.watch.epoch(done, is_best=best_of(self.history) is done)

    def _draw(self) -> None:
        lines = [json.dumps(each.to_dict()) for each in self.history]
        write_text(self.run.history, "".join(f"{line}\n" for line in lines))
        curves = draw_curves(
            [each.loss for each in self.history],
            [each.macro_f1 for each in self.history],
            [each.constant for each in self.history],
            measure="macro F1",
        )
        write_text(self.run.curves, curves)


def _fit_z_score(network: ClassifierNetwork, described: NDArray[np.float32]) -> None:
    from classifiers.networks.hybrid_fusion import FusionHead

    if isinstance(network.head, FusionHead):
        network.head.fit_z_score(described)
