"""An answer, shown as it was asked for: data on stdout, the rest on stderr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import typer

from cli.reranking import untuned
from cli.terminal import note, out, shows_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from cli.renderers.answer import Answer

Format = Literal["table", "json", "csv", "paths"]


@dataclass(frozen=True, slots=True)
class Shown:
    """How hits are shown.

    Args:
        form: of what goes to stdout.
        pictures: print them, too.
        html: also write a page here.
    """

    form: Format
    pictures: bool
    html: Path | None

    @classmethod
    def chosen(
        cls, *, as_json: bool, as_csv: bool, as_paths: bool, html: Path | None, thumbs: bool | None
    ) -> Shown:
        """What the flags say; pictures go with a table, where the terminal shows them or they are wanted."""
        if as_json + as_csv + as_paths > 1:
            raise typer.BadParameter("choose one of --json, --csv and --paths")
        form: Format = "json" if as_json else "csv" if as_csv else "paths" if as_paths else "table"
        pictures = form == "table" and (shows_pictures() if thumbs is None else thumbs)
        return cls(form, pictures, html)

    @property
    def needs_thumbnails(self) -> bool:
        """Whether the answer must bring the pictures."""
        return self.pictures or self.html is not None


def show(answer: Answer, shown: Shown) -> None:
    """Write it to stdout, the summary to stderr, and the page, where one is wanted."""
    out(_rendered(answer, shown.form))
    if shown.pictures:
        from cli.renderers.pictures import print_pictures

        print_pictures(answer)
    _tell(answer)
    if answer.explained:
        _tell_explained(answer)
    if shown.html is not None:
        from cli.renderers.html import write_html

        write_html(answer, shown.html)
        note(f"wrote {shown.html}")


def _tell_explained(answer: Answer) -> None:
    for hit in answer.hits:
        if remark := answer.explained[hit.item.id].note:
            note(f"rank {hit.rank}: {remark}")
    methods = sorted({each.method for each in answer.explained.values()})
    note(f"explained by {'; '.join(methods)}")


def _rendered(answer: Answer, form: Format) -> str:
    if form == "json":
        from cli.renderers.json_hits import render_json

        return render_json(answer)
    if form == "csv":
        from cli.renderers.csv_hits import render_csv

        return render_csv(answer)
    if form == "paths":
        from cli.renderers.csv_hits import render_paths

        return render_paths(answer)
    from cli.renderers.table import render_table

    if answer.predicted is None:
        return render_table(answer)
    from cli.renderers.prediction import render_prediction

    return render_table(answer) + render_prediction(answer.predicted)


def _tell(answer: Answer) -> None:
    note(answer.summary())
    if asked := answer.asked():
        note(f"asked for: {asked}")
    if answer.refined_by:
        note(f"refined by {', '.join(answer.refined_by)}: scores are not those of the plain search")
    if (done := answer.reranked) is not None:
        if done.posterior:
            note(f"the {done.depth} best hits re-ranked: the score is {done.said()}")
        if not done.is_tuned:
            note(untuned(done.by, done.blend))
        for each in done.notes():
            note(each)
    if labels := answer.labels():
        note("labels of the hits: " + ", ".join(f"{label} {count}" for label, count in labels.items()))
    for each in answer.notes:
        note(f"query: {each}")
