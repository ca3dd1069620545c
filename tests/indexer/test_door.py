from __future__ import annotations

import subprocess
import sys

import pytest

import indexer


def test_every_name_at_the_door_opens_a_room():
    assert set(indexer._ROOMS) == set(indexer.__all__)
    for name in indexer.__all__:
        assert getattr(indexer, name) is not None


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="no attribute 'search'"):
        indexer.search  # noqa: B018


def test_searching_loads_nothing_that_writes_or_computes():
    program = (
        "import sys, indexer.index\n"
        "heavy = {'filelock', 'indexer.writer', 'faiss', 'torch', 'pydicom', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
