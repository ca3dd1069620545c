"""A small index of made images that keeps what it is asked, and the service over it in this process."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cli.app import app as cli_app
from deploy.service.app import create_app
from deploy.service.settings import ServiceSettings

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "images")]

from pictures import N_IMAGES, picture  # noqa: E402 (found by the line above)
from serving import Process  # noqa: E402

SITES = ("s1", "s2")


def build(source: Path, target: Path, model: Path, *words: object) -> None:
    command = ["index", "build", source, "--labels", source.parent / "labels.csv", "-o", target]
    command += ["--extractor", model / "tiny.toml", "--workers", 1, *words]
    result = CliRunner().invoke(cli_app, [str(word) for word in command], prog_name="cbir")
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight images of four patients at two sites."""
    folder = tmp_path_factory.mktemp("served") / "pictures"
    folder.mkdir()
    with (folder.parent / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient_id", "view", "age", "site"])
        for seed in range(N_IMAGES):
            path = folder / f"Doe^John {seed}.png"
            path.write_bytes(picture(seed))
            label, view = ("benign", "malignant")[seed % 2], ("CC", "MLO")[seed // 4]
            writer.writerow([path, label, f"patient-{seed // 2}", view, 50 + seed, SITES[seed // 4]])
    return folder


@pytest.fixture(scope="session")
def lesions(pictures: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of them."""
    path = tmp_path_factory.mktemp("lesions") / "lesions.index"
    build(pictures, path, tiny_model)
    return path


@pytest.fixture(scope="session")
def sites(pictures: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, each site a tenant."""
    path = tmp_path_factory.mktemp("sites") / "sites.index"
    build(pictures, path, tiny_model, "--tenant", "site")
    return path


@pytest.fixture
def own_lesions(lesions: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(lesions, tmp_path / "lesions.index"))


Served = Callable[..., TestClient]


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve indexes in this process."""
    with ExitStack() as stack:

        def serve(settings: ServiceSettings) -> TestClient:
            app = create_app(settings)
            return stack.enter_context(
                TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
            )

        yield serve


@pytest.fixture(scope="module")
def client(lesions: Path) -> Iterator[TestClient]:
    """The service over the index, on loopback, without keys."""
    app = create_app(ServiceSettings(indexes={"lesions": lesions}, workers=1))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    """Start `cbir serve` in processes of its own; none outlives the test."""
    with ExitStack() as stack:

        def start(*words: object) -> Process:
            return stack.enter_context(Process(words))

        yield start
