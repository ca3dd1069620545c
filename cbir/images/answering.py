"""Decoded files to what a network says of them, so many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cbir.errors import SkipReason, VectorError
from cbir.images.decoding import DecodedFile, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cbir.images.pool import DecodedFrame

Answer = TypeVar("Answer")

_BATCH = 32


def answer_files(
    decoded: Iterable[DecodedFile | Unread],
    answer: Callable[[Sequence[DecodedFrame]], Sequence[Answer]],
    *,
    on_file: Callable[[], None] = lambda: None,
) -> Iterator[tuple[DecodedFile, list[Answer]] | Unread]:
    """Ask a network about files, 32 at a time; where that fails, one by one, so that a bad one costs itself.

    Args:
        decoded: as ``decode_files`` gives them.
        answer: of the frames of all files of a batch, one a frame; raises VectorError where it can't.
        on_file: called after each file is decoded, in this thread.

    Yields:
        A file and the answers to its frames, or why there are none.
    """
    waiting: list[DecodedFile] = []
    for outcome in decoded:
        if isinstance(outcome, Unread):
            yield outcome
        else:
            waiting.append(outcome)
        if len(waiting) == _BATCH:
            yield from _answered(waiting, answer)
            waiting.clear()
        on_file()
    yield from _answered(waiting, answer)


def _answered(
    files: Sequence[DecodedFile], answer: Callable[[Sequence[DecodedFrame]], Sequence[Answer]]
) -> Iterator[tuple[DecodedFile, list[Answer]] | Unread]:
    if not files:
        return
    try:
        answers = iter(answer([frame for file in files for frame in file.frames]))
        done = [(file, [next(answers) for _ in file.frames]) for file in files]
    except VectorError as error:
        if len(files) == 1:
            yield Unread(files[0].path, SkipReason.BAD_EMBEDDING, str(error))
            return
        for file in files:
            yield from _answered([file], answer)
        return
    yield from done
