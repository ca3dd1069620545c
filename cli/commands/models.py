"""`cbir models list`, `pull`, `verify`, `bundle` and `install`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import CbirError
from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.folders import weights_folder
from cli.settings import load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from cbir.extractors.weights import WeightsStore
    from cbir.extractors.weights.inventory import WeightsEntry

_DIGITS = 8
_NAMES = "A preset, weights as `cbir models list` names them, hub:OWNER/REPO@REVISION, or an own .toml file."


def list_models(*, as_json: opt.AsJson = False) -> None:
    """Say which weights there are: for which presets, under which licence, and where they lie.

    Opens no connection.
    """
    from cbir.extractors.weights import known_weights
    from cbir.extractors.weights.inventory import inventory
    from cli.renderers.table import columns

    store, known = _store(), known_weights()
    entries = [(each, each.locate(store)) for each in inventory(store)]
    if as_json:
        page = []
        for each, path in entries:
            more = known.get(each.source.location)
            page.append({
                "name": each.name, "source": each.source.location, "used_by": each.used_by,
                "license": each.license, "sha256": each.sha256, "published": each.published,
                "sha256_from": more.sha256_from if more else None,
                "trained_on": more.trained_on if more else None, "page": more.page if more else None,
                "size": path.stat().st_size if path else more.size if more else None,
                "path": str(path) if path else None,
            })  # fmt: skip
        typer.echo(json.dumps({"cbir": "models", "version": 1, "weights": page}, indent=2))
        return
    rows = [
        [
            each.name,
            ", ".join(each.used_by) or "–",
            each.license or "not said",
            each.sha256[:_DIGITS] if each.sha256 else "first pull decides",
            str(path) if path else "missing",
        ]
        for each, path in entries
    ]
    typer.echo(columns([["name", "used by", "licence", "sha256", "where"], *rows]), nl=False)


def pull(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help=_NAMES)] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="The weights of every preset.")] = False,
    offline: Annotated[bool | None, typer.Option("--offline", help="Never open a connection.")] = None,
) -> None:
    """Fetch weights, check them, and remember their sha256: another file from there is refused later.

    A file is checked against the published sha256, else against what the hub says of it.
    """
    from cbir.extractors.weights.inventory import pull as pull_weights

    store, is_offline = _store(), load_settings(offline=offline).offline
    for each in _wanted(names, store, all_=all_):
        path = pull_weights(each, store, offline=is_offline)
        note(f"{each.name}: {path}; licence: {each.license or 'not said, look before you use it'}")


def verify(names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help=_NAMES)] = None) -> None:
    """Read every weights file again, and hold its sha256 against what it must be.

    Exits with 1 when one differs, or when one that was named is missing.
    """
    from cbir.extractors.weights.inventory import check, inventory
    from cli.renderers.table import columns

    store = _store()
    entries = _wanted(names, store, all_=False) if names else inventory(store)
    checked = [check(each, store) for each in entries]
    rows = [
        [each.entry.name, each.state, each.sha256 or "", each.entry.sha256 or "", str(each.path or "")]
        for each in checked
    ]
    typer.echo(columns([["name", "state", "sha256", "must be", "where"], *rows]), nl=False)
    bad = [each.entry.name for each in checked if each.state == "differs" or (names and not each.path)]
    if bad:
        raise CbirError(
            f"{len(bad)} of {len(checked)} weights are not what they must be: {', '.join(bad)}. "
            "Delete what differs, and run: cbir models pull NAME"
        )
    note(f"{sum(each.state == 'ok' for each in checked)} of {len(checked)} weights are here and as pinned")


def bundle(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help=_NAMES)] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path(
        "weights.cbirmodels"
    ),
    all_: Annotated[bool, typer.Option("--all", help="The weights of every preset.")] = False,
) -> None:
    """Make one file of weights, to carry to a machine without a network.

    Licences are carried along, and still hold there. The same weights give the same bytes.
    """
    from cbir.extractors.weights import write_bundle
    from cbir.extractors.weights.inventory import for_bundle

    store = _store()
    files = [for_bundle(each, store) for each in _wanted(names, store, all_=all_)]
    digest = write_bundle(files, output)
    for each in files:
        note(f"{each.record.name}: licence: {each.record.license or 'not said, look before you pass it on'}")
    note(f"{output}: {len(files)} weights, {output.stat().st_size / 1e6:.1f} MB")
    note(f"there: cbir models install {output.name} --sha256 {digest}")


def install(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of `cbir models bundle`, or with --as any.")],
    *,
    name: Annotated[
        str | None,
        typer.Option("--as", help="FILE is no bundle, but the weights of this name or hub:OWNER/REPO."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="That the bundle must have, as `cbir models bundle` said.")
    ] = None,
) -> None:
    """Check weights that were carried here, and place them where every extractor looks first.

    On any doubt nothing is placed. Opens no connection.
    """
    from cbir.extractors.weights import install_bundle, install_file

    store = _store()
    if name is None:
        for each in install_bundle(file, store, sha256=sha256):
            note(f"{each.name}: sha256 {each.sha256[:_DIGITS]}, licence: {each.license or 'not said'}")
    else:
        if sha256 is not None:
            raise UsageProblem("--sha256 is of a bundle; with --as leave it out.")
        entries = _wanted([name], store, all_=False)
        if len(entries) != 1:
            raise UsageProblem(f"{name} has {len(entries)} weights; name one, as `cbir models list` does.")
        placed = install_file(file, entries[0].source, store)
        note(f"{entries[0].name}: sha256 {placed.sha256}")
    note(f"installed in {store.folder}")


def _store() -> WeightsStore:
    from cbir.extractors.weights import WeightsStore

    return WeightsStore(weights_folder())


def _wanted(names: list[str] | None, store: WeightsStore, *, all_: bool) -> list[WeightsEntry]:
    from cbir.extractors.preset import PRESETS
    from cbir.extractors.weights.inventory import entries_named

    if bool(names) == all_:
        raise UsageProblem("Name weights or presets, or say --all.")
    if all_:  # but not what only one's own training gives
        found = entries_named(PRESETS, store)
        return [each for each in found if not each.source.location.startswith("run:")]
    return entries_named(names or [], store)
