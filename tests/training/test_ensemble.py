"""Two networks trained as members, joined, through the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cbir.extractors.build import load_extractor
from cbir.extractors.fitting.branches import branch_rows
from cbir.extractors.fitting.fusion_weights import learn_fusion_weights
from cbir.extractors.spec import FusionSpec
from cbir.extractors.timm_model import create_timm
from cbir.images.decoding import Decoding
from cbir.training.embedding import embed_files
from cbir.training.material import read_material
from cbir.training.recipe import read_recipe
from cbir.training.run.options import RunOptions
from cbir.training.run.plan import plan_training
from cli.training import TrainingDisplay

FOLDERS = ("1-tiny", "2-other")
WORDS = ("--device", "cpu", "--workers", 2)


@pytest.fixture
def made(make_items):
    return make_items(n_groups=8, n_images=2)


@pytest.fixture
def ensemble(tmp_path, tiny_model, tiny_recipe):
    """Writes a page of two members, networks of other weights, trained for an epoch each."""
    torch.manual_seed(1)
    tensors = {name: each.contiguous() for name, each in create_timm("timm:test_resnet").state_dict().items()}
    save_file(tensors, tmp_path / "other.safetensors")
    tiny = tiny_model / "tiny.toml"
    other = tmp_path / "other.toml"
    other.write_text(tiny.read_text().replace("random.safetensors", "other.safetensors"))
    tiny_recipe.write_text(tiny_recipe.read_text().replace("epochs = 3", "epochs = 1"))

    def write(fusion="learned", recipe=tiny_recipe):
        members = "".join(
            f'[[member]]\nrecipe = "{recipe}"\nextractor = "{page}"\n' for page in (tiny, other)
        )
        page = tmp_path / "both.toml"
        page.write_text(f'name = "both"\nkind = "ensemble"\nfusion = "{fusion}"\n{members}')
        return page

    return write


def seen_by(folder, images):
    extractor = load_extractor(folder, offline=True)
    return embed_files(extractor, [image.path for image in images], Decoding(n_workers=1)).vectors


def train_interrupted(run, words, monkeypatch):
    """Ctrl-C where the second member would begin; then on to the end."""
    original = TrainingDisplay.begin

    def stop(self, what, total):
        original(self, what, total)
        if what == f"member {FOLDERS[1]}":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingDisplay, "begin", stop)
        stopped = run(*words, expect=130)
    first = Path("x") / "members" / FOLDERS[0] / "card.json"
    before = first.read_bytes()
    assert not Path("x/extractor.toml").exists()
    gone_on = run(*words, "--resume")
    assert [each.stderr.count("epoch 1/1") for each in (stopped, gone_on)] == [1, 1]
    assert first.read_bytes() == before


def test_an_ensemble_gone_on_with_is_one_extractor_weighted_on_validation(
    run, ensemble, made, tmp_path, monkeypatch
):
    train_interrupted(run, ["train", ensemble(), "--items", made, "-o", "x", *WORDS], monkeypatch)
    folder = tmp_path / "x"
    extractor = load_extractor(folder, offline=True)
    fusion = extractor.spec.fusion
    assert len(extractor.spec.branches) == 2
    assert fusion.method == "score"

    material = read_material(str(made))
    val = material.take(material.rows("val"))
    alone = [seen_by(folder / "members" / name, val.images) for name in FOLDERS]
    learned = learn_fusion_weights(alone, [val.classes[code] for code in val.codes], val.groups)
    assert fusion.weights == pytest.approx(learned.weights, abs=1e-4)
    for part, member in zip(branch_rows(extractor.spec, seen_by(folder, val.images)), alone, strict=True):
        assert np.allclose(part, member, atol=1e-5)

    card = json.loads((folder / "card.json").read_text())
    assert card["extractor"]["fingerprint"] == extractor.fingerprint
    assert len(card["start"]) == 2
    assert [card["chosen"][f"weight of {name}"] for name in FOLDERS] == list(fusion.weights)
    assert card["chosen"]["log likelihood"] >= card["chosen"]["with equal weights"]
    assert card["test"]["against_start"]["n_queries"] > 0

    members = [json.loads((folder / "members" / name / "card.json").read_text()) for name in FOLDERS]
    assert [each["seed"] for each in members] == [0, 1]
    assert {each["data"]["hash"] for each in members} == {card["data"]["hash"]}
    run("index", "build", made.parent, "--labels", made, "-o", "x.index", "--extractor", "x", expect=3)
    assert extractor.fingerprint in run("index", "info", "-i", "x.index", "--json").stdout


@pytest.mark.parametrize(("fusion", "method"), [("learned", "l2"), ("l2", "l2"), ("raw", "raw")])
def test_the_start_is_the_members_starts_with_equal_weights(ensemble, made, tmp_path, fusion, method):
    recipe = read_recipe(ensemble(fusion))
    planned = plan_training(recipe, read_material(str(made)), RunOptions(tmp_path, "cpu", offline=True))
    assert planned.start_spec.fusion == FusionSpec(method, (1.0, 1.0))
    assert [each.start_spec.branches[0] for each in planned.members] == list(planned.start_spec.branches)


def test_what_can_be_known_before_is_said_before(run, ensemble, made, tmp_path):
    def refused(page, items=made, *more):
        done = run("train", page, "--items", items, "-o", "x", *WORDS, *more, expect=1)
        assert not (tmp_path / "x").exists()
        return done.stderr

    assert "'linear' is of the kind 'frozen'" in refused(ensemble(recipe="linear"))
    assert "--weights names one file" in refused(ensemble(), made, "--weights", "other.safetensors")
    material = read_material(str(made))
    lone = material.images[material.rows("val")[0]].path
    rows = [
        f"{image.path},{material.classes[code]},{group},{part}"
        for image, code, group, part in zip(
            material.images, material.codes, material.groups, material.parts, strict=True
        )
        if part != "val" or image.path == lone
    ]
    few = tmp_path / "few.csv"
    few.write_text("\n".join(["path,label,patient_id,split", *rows]) + "\n")
    assert "val has 1 classes, with at most 1 groups" in refused(ensemble(), few)
