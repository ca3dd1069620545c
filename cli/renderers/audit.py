"""What an audit found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cbir.items.audit import Leak, hash_of_split
from cli.auditing import Looked
from cli.renderers.table import columns

_WHAT = {"group": "the same patient", "file": "the same file", "picture": "the same picture"}


def render_leaks(leaks: Sequence[Leak]) -> str:
    """A line a leak: what is shared, and both paths with their splits; nothing where there is none."""
    if not leaks:
        return ""
    rows = [
        [
            _WHAT[leak.kind],
            leak.shared,
            leak.first.split,
            leak.first.path,
            leak.second.split,
            leak.second.path,
        ]
        for leak in leaks
    ]
    return columns([["leak", "shared", "split", "path", "split", "path"], *rows])


def audit_document(items: str, looked: Looked, leaks: Sequence[Leak]) -> dict[str, object]:
    """The same as JSON."""
    return {
        "cbir": "audit",
        "version": 1,
        "path": items,
        "clean": not leaks and not looked.unread,
        "images": dict(Counter(item.split for item in looked.items)),
        "outside": looked.n_outside,
        "unread": dict(looked.unread),
        "without_structure": looked.n_flat,
        "split_hash": hash_of_split(looked.items),
        "leaks": [
            {
                "kind": leak.kind,
                "shared": leak.shared,
                "between": [{"path": side.path, "split": side.split} for side in (leak.first, leak.second)],
            }
            for leak in leaks
        ],
    }


def verdict(looked: Looked, leaks: Sequence[Leak]) -> list[str]:
    """What to say beside it, a line each."""
    counts = Counter(item.split for item in looked.items)
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    lines = [f"{len(looked.items)} images in {len(counts)} splits: {listed or 'none'}"]
    if looked.n_outside:
        lines.append(f"{looked.n_outside} images are in no split: not looked at")
    if n_alone := sum(item.group is None for item in looked.items):
        lines.append(f"{n_alone} images have no group: whether their patients cross can't be told")
    if looked.unread:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(looked.unread.items()))
        lines.append(f"{looked.unread.total()} files could not be looked at: {reasons}")
    if looked.n_flat:
        lines.append(f"{looked.n_flat} images have no structure: compared by their bytes alone")
    name = hash_of_split(looked.items)
    if looked.stated and looked.stated != {name}:
        why = "rows were dropped or changed since, or it was made with another --group"
        lines.append(f"the split is not the one that its hash names: {why}")
    if leaks:
        by_kind = Counter(leak.kind for leak in leaks)
        lines.append("LEAK: " + ", ".join(f"{_WHAT[kind]} {count}" for kind, count in by_kind.items()))
    elif not looked.unread:
        lines.append(f"no leak; split {name}")
    return lines
