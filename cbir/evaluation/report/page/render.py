"""A template on the common page: everything inside, nothing fetched, nothing run."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.evaluation.report.page.figures import number, span
from cbir.printable import printable

if TYPE_CHECKING:
    from markupsafe import Markup

_FOLDER = Path(__file__).parent


def render_page(template: Path, values: Mapping[str, object]) -> str:
    """The page; every text of ``values`` is escaped and made printable, charts of ours are not.

    Args:
        template: extends ``page.html.jinja``.
        values: by the names the template uses; a chart comes through the filter ``drawn``.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, _FOLDER]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters |= {"number": number, "span": span, "picture": _picture, "drawn": Markup}
    return environment.get_template(template.name).render(dict(values))


def _finalized(value: object) -> object:
    """Escape sequences and bidi tricks of any text that is not a chart of ours."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _picture(jpeg: bytes) -> Markup:
    from markupsafe import Markup

    return Markup("data:image/jpeg;base64,{}").format(base64.b64encode(jpeg).decode("ascii"))
