"""A label model, when it answers, and what it was calibrated with: what an index keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from classifiers.labels.model import LabelModel

VERSION = 1
_CHANGED_MUCH = 0.1


@dataclass(frozen=True, slots=True)
class Source:
    """What a calibration is of.

    Args:
        column: of the items, that holds the label.
        fingerprint: of the extractor.
        generation: that the index had with it.
        n_items: in it, that have a label.
        n_queries: items that asked.
        n_groups: patients that they are of.
        classifier: the name of the attached one whose posterior has a part in it; None for none.
    """

    column: str
    fingerprint: str
    generation: int
    n_items: int
    n_queries: int
    n_groups: int
    classifier: str | None = None

    def is_of(self, fingerprint: str, generation: int) -> bool:
        """Whether it is of exactly this extractor and generation."""
        return (self.fingerprint, self.generation) == (fingerprint, generation)


@dataclass(frozen=True, slots=True)
class LabelCalibration:
    """A label model that knows when to answer.

    Args:
        model: of the probabilities.
        risk: how often an answer may be wrong, and a label set miss.
        confidence: how surely answers keep to it.
        threshold: the least probability of an answer; None where no answer keeps to the risk.
        set_cutoff: the least probability of a label of the set.
        source: what it is of.
    """

    model: LabelModel
    risk: float
    confidence: float
    threshold: float | None
    set_cutoff: float
    source: Source

    @classmethod
    def from_dict(cls, said: Mapping[str, object]) -> Self:
        """What ``to_dict`` wrote."""
        fields = {name: value for name, value in said.items() if name != "version"}
        fields["model"] = LabelModel.from_dict(said["model"])  # type: ignore[arg-type]  # as to_dict wrote it
        fields["source"] = Source(**said["source"])  # type: ignore[arg-type]  # likewise
        return cls(**fields)  # type: ignore[arg-type]  # likewise

    def to_dict(self) -> dict[str, object]:
        """As JSON can say it."""
        return {"version": VERSION, **asdict(self)}

    def stale(self, *, fingerprint: str, generation: int, counts: Mapping[str, int]) -> str:
        """Why it does not fit an index any more; empty where it does.

        Args:
            fingerprint: of the index.
            generation: likewise.
            counts: items of each label, likewise.
        """
        of, now = self.source, f"it is now generation {generation}"
        if fingerprint != of.fingerprint:
            return f"calibrated for extractor {of.fingerprint[:8]}…, the index has {fingerprint[:8]}…"
        if unknown := [label for label in counts if label not in self.model.classes]:
            named = ", ".join(map(repr, unknown))
            return f"calibrated at generation {of.generation} without the label {named}, {now}"
        n_labelled = sum(counts.values())
        if abs(n_labelled - of.n_items) > _CHANGED_MUCH * of.n_items:
            return (
                f"calibrated at generation {of.generation} with {of.n_items} labelled items, {now} with "
                f"{n_labelled}"
            )
        return ""
