"""Public data sets as items files. Nothing is downloaded."""

from cbir.items.datasets.breakhis import BREAKHIS
from cbir.items.datasets.busi import BUSI
from cbir.items.datasets.cbis_ddsm import CBIS_DDSM
from cbir.items.datasets.cdd_cesm import CDD_CESM
from cbir.items.datasets.inbreast import INBREAST
from cbir.items.datasets.lc25000 import LC25000
from cbir.items.datasets.masks import LookAt, Seen
from cbir.items.datasets.mini_mias import MINI_MIAS
from cbir.items.datasets.prepare import prepare
from cbir.items.datasets.release import Dataset, Release
from cbir.items.datasets.vindr_mammo import VINDR_MAMMO

DATASETS: dict[str, Dataset] = {
    "breakhis": BREAKHIS,
    "busi": BUSI,
    "cbis-ddsm": CBIS_DDSM,
    "cdd-cesm": CDD_CESM,
    "inbreast": INBREAST,
    "lc25000": LC25000,
    "mini-mias": MINI_MIAS,
    "vindr-mammo": VINDR_MAMMO,
}
"""By the name of the command line."""

__all__ = ["DATASETS", "Dataset", "LookAt", "Release", "Seen", "prepare"]
