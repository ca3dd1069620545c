"""The extractors of docs/results.md, a page of settings each, of what there are weights for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGENET = "mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]"
HALF = "mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5]"


@dataclass(frozen=True)
class Network:
    """A branch with real weights."""

    model: str
    pooling: str
    dim: int
    weights: str
    normalise: str = IMAGENET

    def page(self, side_px: int, before: Sequence[str]) -> str:
        steps = [*before, _resize(side_px), f'{{ step = "normalise", {self.normalise} }}']
        return (
            f'[[branch]]\nbackbone = "timm:{self.model}"\npooling = "{self.pooling}"\ndim = {self.dim}\n'
            f"preprocess = [{', '.join(steps)}]\n"
            f'[branch.weights]\nsource = "file:WEIGHTS/{self.weights}"\nname = "{self.weights}"\n'
        )


LITE0 = Network("tf_efficientnet_lite0", "model", 1280, "tf_efficientnet_lite0.fp16.safetensors", HALF)
DENSENET = Network("densenet121", "model", 1024, "densenet121.fp16.safetensors")
VGG = Network("vgg16", "avg", 512, "vgg16_features.fp16.safetensors")
DESCRIPTORS = {"gist": (320, 256), "hog": (1764, 128), "lbp": (54, 512)}


def _resize(side_px: int) -> str:
    size = f"height_px = {side_px}, width_px = {side_px}"
    return f'{{ step = "resize", {size}, fit = "stretch", interpolation = "area" }}'


def _descriptors() -> str:
    return "".join(
        f'[[branch]]\nbackbone = "handcrafted:{name}"\ndim = {dim}\n'
        f'preprocess = [{_resize(side_px)}, {{ step = "grey" }}]\n'
        for name, (dim, side_px) in DESCRIPTORS.items()
    )


def _page(
    name: str,
    *networks: Network,
    side_px: int = 224,
    before: Sequence[str] = (),
    descriptors: bool = False,
    weights: Sequence[float] = (),
    extra: str = "",
) -> str:
    fusion = f"[fusion]\nweights = {list(weights)}\n" if weights else ""
    branches = "".join(network.page(side_px, before) for network in networks)
    return f'name = "{name}"\n{extra}\n{fusion}{branches}{_descriptors() if descriptors else ""}'


_CROP = '{ step = "crop_breast" }'
_THIRD = 3**-0.5

PAGES: Mapping[str, str] = {
    "lite0": _page("lite0", LITE0),
    "densenet121": _page("densenet121", DENSENET),
    "vgg16-features": _page("vgg16-features", VGG),
    "handcrafted": _page("handcrafted", descriptors=True),
    "densenet121+hc": _page(
        "densenet121+hc", DENSENET, descriptors=True, weights=[1.0, _THIRD, _THIRD, _THIRD]
    ),
    "densenet121+vgg16": _page("densenet121+vgg16", DENSENET, VGG),
    "all-three": _page("all-three", DENSENET, VGG, LITE0),
    "all-three-raw": _page("all-three-raw", DENSENET, VGG, LITE0, extra="").replace(
        'name = "all-three-raw"\n', 'name = "all-three-raw"\n\n[fusion]\nmethod = "raw"\n', 1
    ),
    "densenet121-tta": _page("densenet121-tta", DENSENET, extra='tta = "five"\n'),
    "densenet121-crop": _page("densenet121-crop", DENSENET, before=[_CROP]),
    "densenet121-448": _page("densenet121-448", DENSENET, side_px=448),
    "densenet121-448-crop": _page("densenet121-448-crop", DENSENET, side_px=448, before=[_CROP]),
    "densenet121-tiles-mean": _page(
        "densenet121-tiles-mean",
        DENSENET,
        extra="[tiles]\nacross = 3\noverlap = 0.5\nwhole = true\ncrop_breast = true\nmin_content = 0.5\n",
    ),
    "densenet121-tiles-parts": _page(
        "densenet121-tiles-parts",
        DENSENET,
        extra="[tiles]\nacross = 3\noverlap = 0.5\nwhole = true\ncrop_breast = true\nmin_content = 0.5\n"
        'keep = "parts"\n',
    ),
}
"""By name; ``WEIGHTS`` stands for the folder of the weights."""

STARTS: Mapping[str, str] = {**PAGES, "lite0+hc": _page("lite0+hc", LITE0, descriptors=True)}
"""What classifiers are trained from, too."""


def write_page(name: str, shared: Path, folder: Path) -> Path:
    """Write a page of ``STARTS`` into a folder, its weights those of the shared one."""
    page = folder / f"{name}.toml"
    page.write_text(STARTS[name].replace("WEIGHTS", str(shared / "weights")), encoding="utf-8")
    return page
