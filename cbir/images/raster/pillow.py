"""Pillow, opened for one format only, its own size limit off: ours is checked from the header."""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image as PillowImage

from cbir.errors import ImageError, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_image(data: bytes, name: str) -> Iterator[PillowImage.Image]:
    """Open an image by its header; decoding happens in the block.

    Args:
        data: the whole file.
        name: Pillow's for the format, such as ``GIF``.

    Raises:
        ImageError: for whatever Pillow raises, in the block too.
    """
    limit = PillowImage.MAX_IMAGE_PIXELS
    PillowImage.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PillowImage.open(BytesIO(data), formats=(name,)) as image:
                yield image
    except ImageError:
        raise
    except EOFError:
        raise ImageError(SkipReason.TRUNCATED, f"the {name} ends early") from None
    except (OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, struct.error) as error:
        if "truncated" in str(error).lower():
            raise ImageError(SkipReason.TRUNCATED, f"the {name} ends early") from None
        name_of_error = type(error).__name__
        raise ImageError(SkipReason.MALFORMED, f"the {name} can't be decoded ({name_of_error})") from None
    finally:
        PillowImage.MAX_IMAGE_PIXELS = limit
