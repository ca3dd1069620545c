"""A spec written as a page of TOML, as a preset is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.images.steps import JSON


def spec_page(spec: ExtractorSpec, sources: Sequence[str | None], *, remarks: Sequence[str] = ()) -> str:
    """Write a spec so that ``read_preset`` and the files that it names give it back.

    Every weights file is pinned by its sha256. A projection is named as the spec names it, beside the page.

    Args:
        spec: of an extractor that can embed.
        sources: one a branch, where its weights are, as a page says it: ``file:weights/a.safetensors``; None
            for a descriptor.
        remarks: comments at the top, a line each.

    Raises:
        SpecError: not one source for each network, and none for a descriptor.
    """
    import tomlkit

    page = tomlkit.document()
    for remark in remarks:
        page.add(tomlkit.comment("".join(each if each.isprintable() else "?" for each in remark)))
    if remarks:
        page.add(tomlkit.nl())
    for key, value in _entries(spec).items():
        page[key] = value
    branches = tomlkit.aot()
    for branch, source in zip(spec.branches, sources, strict=True):
        branches.append(tomlkit.item(_branch(branch, source)))
    page["branch"] = branches
    return tomlkit.dumps(page)


def _entries(spec: ExtractorSpec) -> dict[str, JSON]:
    entries: dict[str, JSON] = {"name": spec.name, "tta": list(spec.tta)}
    if spec.projection:
        entries["projection"] = spec.projection.name
    entries |= {"read": dict(spec.read.to_dict()), "fusion": spec.fusion.to_dict()}
    if spec.tiles:
        entries["tiles"] = spec.tiles.to_dict()
    if spec.slides:
        entries["slides"] = spec.slides.to_dict()
    return entries


def _branch(branch: BranchSpec, source: str | None) -> Mapping[str, JSON]:
    if (source is None) != branch.is_handcrafted:
        raise SpecError(
            f"Branch {branch.backbone}: its weights' source is {source!r}; a network has one, a descriptor "
            "none."
        )
    page = branch.to_dict()
    del page["weights"]
    if source is not None:
        said: dict[str, JSON] = {"source": source, **branch.weights.to_dict()}
        page["weights"] = {key: value for key, value in said.items() if value is not None}
    return page
