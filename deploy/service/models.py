"""What is asked and answered, as JSON has it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cbir.types import Scalar
from deploy.service.problems import ProblemDocument
from deploy.service.settings import NOTICE

MAX_K = 1000
MAX_HITS = 10_000
"""Of all questions of a batch."""


def _whole(value: object) -> object:
    """To JSON Schema 92.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_AsWhole = BeforeValidator(_whole)
Count = Annotated[int, Field(ge=1, le=MAX_K), _AsWhole]
PixelCount = Annotated[int, Field(ge=0, le=2**31 - 1), _AsWhole]
ItemId = Annotated[str, Field(min_length=1, max_length=512, description="Of an item, as hits say it.")]
Box = Annotated[
    list[PixelCount],
    Field(min_length=4, max_length=4, description="x, y, width and height, in pixels of the image as read."),
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    k: Count = Field(default=10, description="How many hits.")
    unlike: list[ItemId] = Field(
        default_factory=list, max_length=100, description="Items to move the query away from."
    )
    where: str | None = Field(
        default=None, min_length=1, max_length=2000,
        description="Holds for the items that may be found, before the cut: `view = 'MLO' and age >= 50`.",
    )  # fmt: skip
    exclude_same_group: bool = Field(
        default=False, description="Leave out the patient who asks, and every copy of their images."
    )
    refine: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=3,
        description="Search better: augment, expand or reciprocal, as `cbir search --refine` has them.",
    )  # fmt: skip
    rerank: str | None = Field(
        default=None, min_length=1, max_length=200,
        description="Order the best hits anew by whether this attached classifier says the same of them.",
    )  # fmt: skip
    rerank_depth: Count = Field(default=100, description="How many hits `rerank` orders anew.")
    predict: bool = Field(default=False, description="Also say what the query is, by the index's labels.")


class ItemQuestion(_Asked):
    """A search by an item of the index, by items that are liked, or by both."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["item"], "properties": {"item": {"type": "string"}}},
                {"required": ["like"], "properties": {"like": {"type": "array", "minItems": 1}}},
            ],
            "examples": [{"item": "c1a7", "k": 5, "exclude_same_group": True}],
        }
    )

    item: ItemId | None = Field(default=None, description="Search for what is like this one.")
    like: list[ItemId] = Field(
        default_factory=list, max_length=100, description="Items to move the query towards."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.item is None and not self.like:
            raise ValueError("Name what to search for: an item, or items to like.")
        return self


class ImageQuestion(_Asked):
    """How to search with the image that is sent beside."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 5, "roi": [40, 40, 200, 160]}]})

    like: list[ItemId] = Field(
        default_factory=list, max_length=100, description="Items to move the query towards."
    )
    roi: Box | None = Field(default=None, description="Search for this region of the image alone.")
    tta: bool | None = Field(
        default=None, description="Look at the image in five views, or in one; as the index says by default."
    )


Question = ItemQuestion | ImageQuestion


class Questions(BaseModel):
    """Several searches of one index."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"questions": [{"item": "c1a7", "k": 5}, {"like": ["c1a7"]}]}]},
    )

    questions: list[ItemQuestion] = Field(min_length=1, max_length=100)


class ItemAnswer(BaseModel):
    """An item of an index; neither its file nor its path is said."""

    id: str
    label: str | None = Field(description="What it was, where that is known.")
    group: str | None = Field(
        description="The patient: a pseudonym that lasts as long as the service runs, unless it shows groups."
    )
    frame: int = Field(description="Of a file with several images, from 0.")
    metadata: dict[str, Scalar] = Field(description="What else the index says of it.")


class HitAnswer(BaseModel):
    """One answer of a search."""

    rank: int = Field(description="From 1.")
    score: float = Field(description="The cosine, higher is better; of a refined search, its own score.")
    cosine: float | None = Field(description="Of re-ranked hits: what they were found by.")
    agreement: float | None = Field(description="Of re-ranked hits with the query; null where unknown.")
    item: ItemAnswer
    box: list[int] | None = Field(
        description="The part of the item that made the score: x, y, width, height."
    )


class LabelledHit(BaseModel):
    """A hit that speaks for or against a label."""

    rank: int
    score: float
    id: str
    label: str | None


class PredictionAnswer(BaseModel):
    """What the query is, by the labels of its nearest items; or why that is not said."""

    column: str = Field(description="That holds the label.")
    label: str | None = Field(description="Null where it abstains.")
    candidate: str = Field(description="The most probable label, also when abstaining.")
    probability: float = Field(description="Of the candidate.")
    calibrated: bool = Field(description="Whether the probabilities mean what they say.")
    risk: float | None = Field(description="How often an answer may be wrong, where it is calibrated.")
    abstains: str | None = Field(description="Why.")
    label_set: list[str] = Field(description="Among which the label is, as surely as `risk` says.")
    probabilities: dict[str, float] = Field(description="Of every label, the most probable first.")
    k: int = Field(description="How many hits were asked.")
    support: list[LabelledHit]
    against: list[LabelledHit]
    n_unlabelled: int
    note: str | None = Field(description="Why nothing is calibrated, and what to do.")


class RerankingAnswer(BaseModel):
    """How the hits were ordered anew."""

    by: str
    depth: int
    blend: float = Field(description="score = (1 - blend) * cosine + blend * agreement.")
    tuned: bool = Field(description="Whether somebody has chosen the blend by what it finds.")
    posterior: dict[str, float] = Field(description="Of the query, by class.")


class SearchedIndex(BaseModel):
    """What was searched."""

    name: str
    generation: int = Field(description="Counts up with every change of the index.")
    fingerprint: str = Field(description="Of the extractor.")
    n_items: int


class SearchAnswer(BaseModel):
    """The hits of a search, best first."""

    notice: str = NOTICE
    index: SearchedIndex
    hits: list[HitAnswer]
    refine: list[str] = Field(description="The refinements with all their settings.")
    where: str | None = Field(description="The condition, as it was understood.")
    rerank: RerankingAnswer | None = Field(description="Where it was asked for.")
    prediction: PredictionAnswer | None = Field(description="Where it was asked for.")
    notes: list[str] = Field(description="What reading did to the image that was sent.")
    thumbnail: str | None = Field(description="Of the image that was sent: a JPEG in base64.")
    seconds: dict[str, float] = Field(description="By stage.")


class BatchedAnswer(BaseModel):
    """What came of one question of several: an answer, or a problem."""

    answer: SearchAnswer | None
    problem: ProblemDocument | None


class BatchAnswer(BaseModel):
    """What came of several questions, in their order."""

    notice: str = NOTICE
    answers: list[BatchedAnswer]


class IndexSummary(BaseModel):
    """An index that the caller may search."""

    name: str
    is_there: bool = Field(description="False while it can't be searched.")


class IndexList(BaseModel):
    """All indexes that the caller may search."""

    notice: str = NOTICE
    indexes: list[IndexSummary]


class ColumnValue(BaseModel):
    """A value that items have."""

    value: Scalar
    n_items: int


class ColumnAnswer(BaseModel):
    """What `where` can ask for."""

    name: str
    kinds: list[str] = Field(description="Of its values: text, number, truth.")
    n_known: int = Field(description="Items that have a value.")
    n_values: int
    most: list[ColumnValue] = Field(description="The most frequent values.")
    bounds: list[float] | None = Field(description="Least and greatest, of a column of numbers.")


class IndexAnswer(BaseModel):
    """What an index is."""

    notice: str = NOTICE
    name: str
    extractor: str
    fingerprint: str
    generation: int
    dim: int
    n_items: int
    labels: dict[str, int] = Field(description="How many items have each.")
    files: dict[str, int] = Field(description="How many files had each outcome when it was built.")
    skipped: dict[str, int] = Field(description="How many files were skipped, by reason.")
    columns: list[ColumnAnswer]
    attachments: list[str] = Field(description="The names of what it carries beside its items.")
    store: str
    created: str
    updated: str


class Health(BaseModel):
    """Whether the service is well."""

    status: str
