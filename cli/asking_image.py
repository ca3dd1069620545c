"""An image file as the query of the command line: decoded once for all that look at it, and embedded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cbir.errors import CbirError, ImageError, SkipReason
from cbir.images.files import SlideFile, read_file_or_slide
from cbir.printable import printable
from cli.exit_codes import UsageProblem
from cli.patient_key import read_key
from cli.renderers.answer import Answer

if TYPE_CHECKING:
    from cbir.types import Embedder, Query
    from cli.query_classifier import QueryClassifier
    from cli.question import Question
    from cli.settings import Settings
    from indexer.index import Index


def image_query(
    index: Index, text: str, question: Question, settings: Settings, classifier: QueryClassifier | None
) -> tuple[Query, Answer]:
    """Read, decode and embed a file; an answer without hits beside it.

    Args:
        index: that is searched.
        text: the path.
        question: which region, which views, whether the patient must be known.
        settings: limits.
        classifier: looks at the image, too; None for nothing.

    Raises:
        CbirError: no image, or no usable one.
        UsageProblem: a region outside of it, or a whole slide where there can be none.
    """
    from cbir.extractors.exported import open_exported
    from cbir.extractors.loading import LoadingEmbedder
    from cbir.images.pool import DecodePool
    from indexer.asking.query import embed_image, embed_slide_query
    from indexer.ingesting.memos import check_hash_key

    tta, region = question.tta, question.region
    spec, key = index.spec, read_key(settings.patient_key)
    if question.exclude_same_group:
        check_hash_key(index, key)
    try:
        file = read_file_or_slide(text, settings.limits, slides=spec.slides)
        if isinstance(file, SlideFile):
            if question.rerank:
                raise UsageProblem(f"--rerank is of images, and {printable(text)} is a whole slide.")
            classifier = None
        own = spec.plans(tta)
        beside = classifier.plans(spec) if classifier else ()
        with DecodePool(
            spec.read, (*own, *beside), tiles=spec.tiles.grid if spec.tiles else None,
            slides=spec.slides, limits=settings.limits, n_workers=1, hash_key=key,
        ) as pool:  # fmt: skip
            if region is not None and isinstance(file, SlideFile):
                raise UsageProblem(f"--roi is of images, and {printable(text)} is a whole slide.")
            pool.start()
            embedder: Embedder = LoadingEmbedder(spec, partial(open_exported, spec, index.model_dir, tta=tta))
            if classifier:
                embedder = classifier.beside(embedder, len(own))
            if isinstance(file, SlideFile):
                found = embed_slide_query(index, file, pool=pool, embedder=embedder)
            else:
                found = embed_image(
                    index, file.data, file.sha256, pool=pool, embedder=embedder, region=region
                )
                if classifier:
                    classifier.look(file.data, settings, region)
    except ImageError as error:
        kind = UsageProblem if error.reason is SkipReason.OUTSIDE else CbirError
        raise kind(f"{printable(text)} can't be searched for: {error}.") from error
    blank = blank_answer(index, text)
    return found.query, replace(
        blank, seconds=found.seconds, notes=found.notes, query_thumbnail=found.thumbnail, region=region
    )


def blank_answer(index: Index, text: str) -> Answer:
    """What is said of a query before anything is found."""
    return Answer(
        query=text, query_item=None, query_label=None, k=0, index=index.path.absolute(),
        fingerprint=index.fingerprint, generation=index.generation, n_items=len(index), hits=(), seconds={},
    )  # fmt: skip
