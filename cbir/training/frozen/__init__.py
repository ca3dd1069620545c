"""Light heads on extractors that stay as they are: each image is decoded and embedded once."""

from cbir.training.frozen.features import Features, embed_once
from cbir.training.frozen.head import HEADS, FittedHead, HeadEpoch
from cbir.training.frozen.joined import JoinedExtractors, join_extractors, join_named
from cbir.training.frozen.train import FrozenTraining, train_frozen

__all__ = [
    "HEADS",
    "Features",
    "FittedHead",
    "FrozenTraining",
    "HeadEpoch",
    "JoinedExtractors",
    "embed_once",
    "join_extractors",
    "join_named",
    "train_frozen",
]
