"""Memory of a training on a CPU: what a step frees, the next one takes again."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Of glibc's ``mallopt``; see malloc.h."""
_TOP_PAD_BYTES = 64 << 20
_INT_MAX = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process keep freed memory; it has then as much as its largest step, to its end.

    The activations of a step are freed and taken again, and glibc gives large ones back to the system each
    time: to get them once more, in pages of zeros, was a quarter of a step's time (Lite0, 16 images of 224
    px). Without glibc, nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _INT_MAX)
        mallopt(_TOP_PAD, _TOP_PAD_BYTES)
