"""`cbir search`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import options as opt
from cli.refining import Refine, refinements
from cli.settings import load_settings
from cli.terminal import note, out, shows_pictures

if TYPE_CHECKING:
    from cbir.images.tiles import Box
    from cli.renderers.answer import Answer

_ASKED, _FOUND, _OUTPUT = "What is asked", "Who may be found", "What comes out"


def search(
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="An image file, or the id of an item.")
    ] = None,
    *,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits.")] = 10,
    index: opt.IndexOption = None,
    roi: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="A region of the image, in pixels, as if it were the whole.",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="More like this item; again for more; without QUERY, too.",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Less like this item; again for more.", rich_help_panel=_ASKED),
    ] = None,
    tta: Annotated[
        bool | None,
        typer.Option(
            "--tta/--no-tta",
            help="Look at the query in five views, and average (default: as the index was built).",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    exclude_same: Annotated[
        Literal["group"] | None,
        typer.Option(help="Leave out every image of the query's patient.", rich_help_panel=_FOUND),
    ] = None,
    refine: Refine = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON document on stdout.", rich_help_panel=_OUTPUT)
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.", rich_help_panel=_OUTPUT)] = False,
    as_paths: Annotated[
        bool, typer.Option("--paths", help="Paths alone, one a line.", rich_help_panel=_OUTPUT)
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Also write a page with the pictures, in one file.", rich_help_panel=_OUTPUT),
    ] = None,
    thumbs: Annotated[
        bool | None,
        typer.Option(
            "--thumbs/--no-thumbs",
            help="Pictures beside the table (default: where the terminal can).",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Find the images of an index that look most like one image.

    The score is the cosine of the two embeddings: 1 for the same image; with --refine, what the last
    refinement orders by. Research use only, not for diagnosis.
    """
    started = time.perf_counter()
    settings = load_settings(
        index=index,
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb,
    )
    if as_json + as_csv + as_paths > 1:
        raise typer.BadParameter("choose one of --json, --csv and --paths")
    is_table = not (as_json or as_csv or as_paths)
    pictures = is_table and (shows_pictures() if thumbs is None else thumbs)
    if query is None and not like:
        raise typer.BadParameter("name what to search for: an image file, the id of an item, or --like ID")
    from cli.asking import Question, ask

    question = Question(
        text=query,
        k=k,
        region=None if roi is None else _region(roi),
        like=tuple(like or ()),
        unlike=tuple(unlike or ()),
        tta=opt.views(tta),
        exclude_same_group=exclude_same == "group",
        refinements=refinements(refine),
        thumbnails=pictures or html is not None,
    )
    answer = ask(question, settings, started=started)
    out(_rendered(answer, as_json=as_json, as_csv=as_csv, as_paths=as_paths))
    if pictures:
        from cli.renderers.pictures import print_pictures

        print_pictures(answer)
    _tell(answer)
    if html is not None:
        from cli.renderers.html import write_html

        write_html(answer, html)
        note(f"wrote {html}")


def _region(text: str) -> Box:
    from cbir.images.region import parse_region

    try:
        return parse_region(text)
    except ValueError as error:
        raise typer.BadParameter(f"--roi: {error}") from None


def _rendered(answer: Answer, *, as_json: bool, as_csv: bool, as_paths: bool) -> str:
    if as_json:
        from cli.renderers.json_hits import render_json

        return render_json(answer)
    if as_csv:
        from cli.renderers.csv_hits import render_csv

        return render_csv(answer)
    if as_paths:
        from cli.renderers.csv_hits import render_paths

        return render_paths(answer)
    from cli.renderers.table import render_table

    return render_table(answer)


def _tell(answer: Answer) -> None:
    note(answer.summary())
    if asked := answer.asked():
        note(f"asked for: {asked}")
    if labels := answer.labels():
        note("labels of the hits: " + ", ".join(f"{label} {count}" for label, count in labels.items()))
    if answer.refined_by:
        note(f"refined by {', '.join(answer.refined_by)}: scores are not those of the plain search")
    for each in answer.notes:
        note(f"query: {each}")
