"""`cbir serve`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from cbir.errors import MissingLibraryError, SpecError
from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.qdrant import Url, server_of
from cli.settings import load_settings
from cli.terminal import note

_LIBRARIES = {"fastapi": "fastapi", "uvicorn": "uvicorn", "python_multipart": "python-multipart",
              "prometheus_client": "prometheus-client"}  # fmt: skip


def serve(
    context: typer.Context,
    *,
    index: Annotated[
        list[str] | None,
        typer.Option(
            "--index",
            "-i",
            metavar="[NAME=]PATH",
            help="An index, and its name in addresses; again for more (default: CBIR_INDEX, ./cbir.index).",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; any but a loopback one needs --keys.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for a free one.")
    ] = 8000,
    keys: Annotated[
        Path | None, typer.Option(help="The file of those who may ask: cbir serve key new.")
    ] = None,
    tenant: opt.TenantName = None,
    body_mb: Annotated[int, typer.Option(min=1, help="MiB that a request's body may have.")] = 256,
    body_s: Annotated[float, typer.Option(help="Seconds that a body may take to come.")] = 60.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Images decoded and embedded at once (default: one a core).")
    ] = None,
    queue: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; more are answered with 429.")
    ] = 64,
    wait_s: Annotated[float, typer.Option(help="Seconds that one may wait for a worker.")] = 10.0,
    drain_s: Annotated[float, typer.Option(help="Seconds that requests under way have to end.")] = 30.0,
    show_groups: Annotated[
        bool,
        typer.Option("--show-groups", help="Answer with patients as the index has them, not pseudonyms."),
    ] = False,
    audit: Annotated[
        Path | None, typer.Option(help="Append a line a search here (default: to the log, on stderr).")
    ] = None,
    qdrant_url: Url = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
) -> None:
    """Serve indexes over HTTP: on this machine alone and without keys, or to others with them.

    Ends with SIGTERM or Ctrl-C, when the last request under way is answered; takes a new generation of an
    index within a second. Research use only, not for diagnosis.
    """
    if context.invoked_subcommand is not None:
        return
    check_libraries()
    from cli.patient_key import read_key
    from deploy.service.run import serve as run
    from deploy.service.settings import ServiceSettings

    settings = load_settings(
        tenant=tenant, workers=workers, timeout_s=timeout_s, memory_mb=memory_mb, max_pixel_mb=max_pixel_mb,
        qdrant_url=qdrant_url,
    )  # fmt: skip
    paths = _named(index or [str(settings.index)])
    servers = {name: server_of(settings, path) for name, path in paths.items()}
    try:
        chosen = ServiceSettings(
            indexes=paths, host=host, port=port, keys=keys, tenant=settings.tenant, body_mb=body_mb,
            body_s=body_s,
            workers=settings.workers, queue=queue, wait_s=wait_s, drain_s=drain_s, show_groups=show_groups,
            audit=audit, limits=settings.limits, patient_key=read_key(settings.patient_key),
            servers={name: server for name, server in servers.items() if server is not None},
        )  # fmt: skip
    except SpecError as error:
        raise UsageProblem(str(error)) from error
    run(chosen, listening=lambda at: note(f"Serving {', '.join(paths)} on {at}, until Ctrl-C."))


def check_libraries() -> None:
    """Say at once what is not installed.

    Raises:
        MissingLibraryError: one of the extra `serve`.
    """
    missing = [name for module, name in _LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingLibraryError(
            f"cbir serve needs {', '.join(missing)}, which are not installed: pip install 'cbir[serve]'."
        )


def _named(texts: list[str]) -> dict[str, Path]:
    """The directory of each index, by the name that is given, or else its own."""
    paths: dict[str, Path] = {}
    for text in texts:
        name, sign, path = text.partition("=")
        if not sign or "/" in name:
            name, path = Path(text).resolve().name.removesuffix(".index"), text
        if name in paths:
            raise UsageProblem(f"Two indexes are named {name!r}: give them names, -i NAME=PATH.")
        paths[name] = Path(path)
    return paths
