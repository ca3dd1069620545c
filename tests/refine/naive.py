"""Every formula again, one number at a time, over plain arrays: slow and obvious."""

from __future__ import annotations

import math

import numpy as np


def drawn(vector: np.ndarray, neighbours: list[np.ndarray], alpha: float) -> np.ndarray:
    total = [float(each) for each in vector]
    for neighbour in neighbours:
        cosine = sum(float(a) * float(b) for a, b in zip(vector, neighbour, strict=True))
        if cosine > 0:
            total = [t + cosine**alpha * float(x) for t, x in zip(total, neighbour, strict=True)]
    length = math.sqrt(sum(t * t for t in total))
    return np.array([t / length for t in total])


def order(query: np.ndarray, rows: np.ndarray, allowed: list[int], names: list[str]) -> list[int]:
    """The allowed rows, best first; equal scores by name."""
    scores = {row: float(np.vecdot(rows[row], query.astype(np.float32))) for row in allowed}
    return sorted(allowed, key=lambda row: (-scores[row], names[row]))


def reciprocal(squared: np.ndarray, k1: int, k2: int, lambda_: float) -> list[float]:
    """Distances of the first to all others; Zhong et al., section 3, with sets and loops."""
    n = len(squared)
    greatest = [max(squared[i]) or 1.0 for i in range(n)]
    scaled = [[squared[i][j] / greatest[i] for j in range(n)] for i in range(n)]
    near = [sorted(range(n), key=lambda j, i=i: (j != i, scaled[i][j], j)) for i in range(n)]

    def mutual(i: int, k: int) -> set[int]:
        return {j for j in near[i][: k + 1] if i in near[j][: k + 1]}

    encodings = []
    for i in range(n):
        members = set(mutual(i, k1))
        for j in mutual(i, k1):
            brought = mutual(j, round(k1 / 2))
            if 3 * len(brought & mutual(i, k1)) > 2 * len(brought):
                members |= brought
        weights = [math.exp(-scaled[i][j]) if j in members else 0.0 for j in range(n)]
        encodings.append([weight / sum(weights) for weight in weights])
    if k2 > 1:
        encodings = [
            [sum(encodings[j][c] for j in near[i][:k2]) / len(near[i][:k2]) for c in range(n)]
            for i in range(n)
        ]
    found = []
    for j in range(1, n):
        least = sum(map(min, encodings[0], encodings[j]))
        most = sum(map(max, encodings[0], encodings[j]))
        found.append((1 - lambda_) * (1 - least / most) + lambda_ * scaled[0][j])
    return found
