"""mini-MIAS: 322 film mammograms, both MLO views of 161 women.

Layout: ``Info.txt`` and ``mdb001.pgm`` … ``mdb322.pgm``, as released; or PNG copies under the same names. The
centre of a lesion is counted from the bottom left corner, and its box from the top left one.
Counts and the meaning of the columns: ``Info.txt`` itself (Suckling et al., 1994).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files
from cbir.items.datasets.release import Count, Dataset, Release, Row, box

_LINE = re.compile(r"(mdb(\d{3}))\s+([FGD])\s+([A-Z]{4})(?:\s+([BM]))?(?:\s+(\d+)\s+(\d+)\s+(\d+))?")
_IMAGE = re.compile(r".*/(mdb\d{3})\.(png|pgm)", re.IGNORECASE)
_SIDE_PX = 1024
_LABELS = ("normal", "benign", "malignant")
_SEVERITIES = {"B": 1, "M": 2}


@dataclass
class _Film:
    density: str
    grade: int = 0
    kinds: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()


def _read(files: Files) -> Release:
    films = _films(files)
    paths = {}
    for path in files.ending(".png", ".pgm"):
        if (match := _IMAGE.fullmatch(path)) and match[1].lower() in films:
            name = match[1].lower()
            if name not in paths or match[2].lower() == "png":  # of two copies one
                paths[name] = path
    rows = tuple(_row(name, films[name], path) for name, path in sorted(paths.items()))
    grades = [row.grade for row in rows]
    counts = (
        Count("images", len(rows), 322),
        Count("women", len({row.group for row in rows}), 161),
        *(
            Count(label, grades.count(i), n)
            for i, (label, n) in enumerate(zip(_LABELS, (207, 63, 52), strict=True))
        ),
    )
    return Release(rows, counts)


def _films(files: Files) -> dict[str, _Film]:
    infos = files.named("Info.txt")
    if len(infos) != 1:
        raise ItemsError(
            f"{files.folder} has {len(infos)} files Info.txt; mini-MIAS has one, with what its films show."
        )
    films: dict[str, _Film] = {}
    n_findings: dict[str, int] = defaultdict(int)
    for line in Path(infos[0]).read_text(encoding="utf-8", errors="replace").splitlines():
        if not (match := _LINE.match(line)):
            continue
        film = films.setdefault(match[1], _Film(match[3]))
        film.grade = max(film.grade, _SEVERITIES.get(match[5], 0))
        n_findings[match[1]] += 1
        film.kinds += (match[4],)
        if match[6]:
            x, y_from_bottom, radius = int(match[6]), int(match[7]), int(match[8])
            y = _SIDE_PX - y_from_bottom
            film.boxes += (box(x - radius, y - radius, x + radius, y + radius),)
    return films


def _row(name: str, film: _Film, path: str) -> Row:
    number = int(name[3:])
    return Row(
        path,
        label=_LABELS[film.grade],
        grade=film.grade,
        group=f"mias{(number + 1) // 2:03}",
        view="MLO",
        side="L" if number % 2 == 0 else "R",
        density=film.density,
        lesion_box=";".join(film.boxes) or None,
        more={"abnormality": ";".join(dict.fromkeys(film.kinds))},
    )


MINI_MIAS = Dataset(
    title="mini-MIAS",
    home="http://peipa.essex.ac.uk/info/mias.html",
    terms="research only: the release's Licence.txt",
    read=_read,
)
