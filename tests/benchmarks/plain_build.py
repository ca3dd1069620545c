"""The plain script that a competent user would write to index a folder: timm, a DataLoader, faiss.

Writes ``embeddings.npy`` (unit rows), ``paths.json`` and ``index.faiss``. Imports nothing of cbir.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import faiss
import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

SIDE_PX = 224


def load_model(name: str, weights: Path) -> nn.Module:
    model = timm.create_model(name, num_classes=0)
    tensors = load_file(weights)
    model.load_state_dict({key: tensor for key, tensor in tensors.items() if key in model.state_dict()})
    return model.eval()


def resize(image: Image.Image) -> Image.Image:
    """Average when shrinking, as the presets do; torchvision's filter blurs more, and takes longer."""
    shrinks = min(image.size) >= SIDE_PX
    return image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR)


def make_transform(model: nn.Module) -> transforms.Compose:
    config = timm.data.resolve_model_data_config(model)
    return transforms.Compose(
        [
            resize,
            transforms.ToTensor(),
            transforms.Normalize(config["mean"], config["std"]),
        ]
    )


class Folder(Dataset):
    def __init__(self, paths: list[Path], transform: transforms.Compose) -> None:
        self.paths, self.transform = paths, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[row]).convert("RGB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", type=Path, required=True)
    arguments = parser.parse_args()

    model = load_model(arguments.model, arguments.weights)
    paths = sorted(arguments.images.rglob("*.png"))
    loader = DataLoader(Folder(paths, make_transform(model)), batch_size=32, num_workers=2)
    with torch.inference_mode():
        batches = [nn.functional.normalize(model(batch)).numpy() for batch in loader]
    embeddings = np.concatenate(batches)
    index = faiss.IndexFlatIP(embeddings.shape[1])
    index.add(embeddings)

    arguments.output.mkdir(parents=True, exist_ok=True)
    np.save(arguments.output / "embeddings.npy", embeddings)
    (arguments.output / "paths.json").write_text(json.dumps([str(path) for path in paths]))
    faiss.write_index(index, str(arguments.output / "index.faiss"))


if __name__ == "__main__":
    main()
