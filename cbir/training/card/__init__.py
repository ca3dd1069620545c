"""What is told of a finished training."""

from cbir.training.card.card import Card, gain, no_result
from cbir.training.card.document import card_json
from cbir.training.card.page import card_text

__all__ = ["Card", "card_json", "card_text", "gain", "no_result"]
