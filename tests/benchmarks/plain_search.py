"""The plain script's one-shot search: loads everything, embeds one image, asks faiss.

Reads what ``plain_build.py`` wrote; prints a score and a path a line. Imports nothing of cbir.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import faiss
import torch
from PIL import Image
from plain_build import load_model, make_transform
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("index", type=Path, help="the output folder of plain_build.py")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", type=Path, required=True)
    arguments = parser.parse_args()

    model = load_model(arguments.model, arguments.weights)
    pixels = make_transform(model)(Image.open(arguments.image).convert("RGB"))
    with torch.inference_mode():
        query = nn.functional.normalize(model(pixels[None])).numpy()
    index = faiss.read_index(str(arguments.index / "index.faiss"))
    paths = json.loads((arguments.index / "paths.json").read_text())
    scores, rows = index.search(query, arguments.k)
    for score, row in zip(scores[0], rows[0], strict=True):
        print(f"{score:.6f}\t{paths[row]}")


if __name__ == "__main__":
    main()
