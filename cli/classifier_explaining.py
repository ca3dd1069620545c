"""`cbir classify explain`: images to Grad-CAM pictures and their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError
from cbir.extractors.handcrafted.network import descriptor_network
from cbir.images.files import read_file
from cbir.images.placement import placement_plan, read_placements
from cbir.images.pool import DecodePool
from cbir.nearest import nearest
from classifiers.classifier import open_classifier
from classifiers.explain.folder import ExplainFolder
from classifiers.explain.overlay import SHOWN_SIDE_PX, Placed, heat_map, overlay, png, read_picture
from cli.exit_codes import UsageProblem

if TYPE_CHECKING:
    from cbir.images.pool import DecodedFrame
    from cbir.images.steps import JSON
    from classifiers.classifier import Classifier
    from classifiers.explain.grad_cam import GradCam
    from classifiers.spec import ClassifierSpec
    from cli.settings import Settings


@dataclass(frozen=True, slots=True)
class Explained:
    """What became of the images.

    Args:
        lines: one an image: its picture, and what it shows.
        unread: one a file that could not be read, and why.
    """

    lines: tuple[str, ...]
    unread: tuple[str, ...]


def explain_predictions(
    run: Path, images: Sequence[str], output: Path, label: str | None, settings: Settings
) -> Explained:
    """Write a picture an image, and ``explain.json``.

    Args:
        run: of `cbir classify train`.
        images: files.
        output: the folder.
        label: the class that is looked for; None for the one that is predicted.
        settings: what one file may cost.

    Raises:
        CbirError: no classifier, no such class, or the folder is somebody else's.
        OSError: the disk refused.
    """
    classifier = open_classifier(run)
    names = [f"image-{number:03d}.png" for number in range(1, len(images) + 1)]
    folder = ExplainFolder(output)
    folder.check(names)
    target = None if label is None else _class_number(label, classifier)
    explaining = _Explaining(run, classifier, target)
    spec = classifier.spec
    pictures: dict[str, bytes] = {}
    told: list[JSON] = []
    lines, unread = [], []
    for path, name, outcome in zip(images, names, _decoded(images, spec, settings), strict=True):
        if isinstance(outcome, ImageError):
            unread.append(f"{path}: {outcome}")
            told.append({"path": path, "file": None, "reason": outcome.reason, "detail": outcome.detail})
            continue
        pictures[name], document, line = explaining.of(outcome)
        told.append({"path": path, "file": name, **document})
        lines.append(f"{name}  {path}  {line}")
    of_run: JSON = {"name": spec.name, "fingerprint": spec.fingerprint, "classes": list(spec.classes)}
    folder.write(pictures, {"method": "grad-cam", "classifier": of_run, "images": told})
    return Explained(tuple(lines), tuple(unread))


def _decoded(
    images: Sequence[str], spec: ClassifierSpec, settings: Settings
) -> Iterator[DecodedFrame | ImageError]:
    """Of each file the frame that speaks for it, the middle one; or why there is none."""
    plans = (*spec.plans(), placement_plan(spec.preprocess))
    limits = settings.limits
    with DecodePool(spec.read, plans, limits=limits, n_workers=1, thumbnail_side_px=SHOWN_SIDE_PX) as pool:
        for path in images:
            try:
                frames = pool.decode(read_file(path, limits).data)
            except ImageError as error:
                yield error
            else:
                yield frames[len(frames) // 2]


class _Explaining:
    """A classifier, and its network with gradients."""

    def __init__(self, run: Path, classifier: Classifier, target: int | None) -> None:
        self._classifier = classifier
        self._target = target
        self._descriptors = [descriptor_network(each) for each in classifier.spec.descriptors]
        self._cam = _grad_cam(run)

    def of(self, frame: DecodedFrame) -> tuple[bytes, dict[str, JSON], str]:
        """The picture of a frame, its part of the JSON, and a line."""
        spec = self._classifier.spec
        prepared = frame.prepared[:-1]
        posteriors = self._classifier.answer(prepared).posteriors[0]
        predicted = int(posteriors.argmax())
        target = predicted if self._target is None else self._target
        described = None
        if self._descriptors:
            pairs = zip(self._descriptors, prepared[1:], strict=True)
            described = np.concatenate([describe(batch) for describe, batch in pairs], axis=1)
        grid = self._cam(prepared[0], described, target)
        [placement] = read_placements(frame.prepared[-1])
        rows, columns = read_picture(frame.thumbnail).shape[:2]
        _, height, width = spec.branch.input_shape
        size = (frame.info.width, frame.info.height)
        heat = heat_map([Placed(grid, placement, width, height)], size, (columns, rows))
        document: dict[str, JSON] = {
            "class": spec.classes[target],
            "probability": float(posteriors[target]),
            "predicted": spec.classes[predicted],
            "posteriors": {name: float(each) for name, each in zip(spec.classes, posteriors, strict=True)},
            "is_blank": not grid.any(),
        }
        blank = "" if grid.any() else "; no place speaks for it"
        line = f"{spec.classes[target]} {posteriors[target]:.3f}{blank}"
        return png(overlay(frame.thumbnail, heat)), document, line


def _grad_cam(run: Path) -> GradCam:
    from classifiers.explain.grad_cam import GradCam
    from classifiers.networks.load import load_network

    return GradCam(load_network(run))


def _class_number(label: str, classifier: Classifier) -> int:
    classes = classifier.spec.classes
    if label not in classes:
        raise UsageProblem(
            f"Classifier {classifier.spec.name} has no class {label!r}; {nearest(label, classes)}"
        )
    return classes.index(label)
