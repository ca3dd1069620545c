"""Which items are for training, which for tuning, which for testing: by group, never by image."""

from __future__ import annotations

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cbir.errors import ItemsError
from cbir.items.ordinal import label_order

_NAMES = {2: ("train", "test"), 3: ("train", "val", "test")}


def strata(labelled: Iterable[tuple[str, str | None]]) -> dict[str, tuple[int, str]]:
    """Say which groups are alike: by the highest grade among their items.

    Labels that are no whole numbers have no order: then groups with the same set of labels are alike.

    Args:
        labelled: the group and the label of each item.

    Returns:
        By group, a key that sorts by grade; without any label it comes first.
    """
    labels: dict[str, set[str]] = defaultdict(set)
    for group, label in labelled:
        labels[group].update(() if label is None else (label,))
    order = label_order(label for those in labels.values() for label in those)
    if order is None:
        return {group: (len(those), "\0".join(sorted(those))) for group, those in labels.items()}
    rank = {label: i for i, label in enumerate(order, start=1)}
    return {group: (max((rank[each] for each in those), default=0), "") for group, those in labels.items()}


def split_by_group(
    stratum: Mapping[str, tuple[int, str]], shares: Sequence[float], *, seed: int = 0
) -> dict[str, str]:
    """Deal whole groups to the splits.

    The groups stand in a row, stratum by stratum, in each in an order that the seed decides; one after
    another goes to the split that lags most behind its share. So every split has its share of all groups,
    and of every stratum, to within a group or two. The outcome depends on nothing but the arguments: neither
    on the order of the items nor on the machine.

    Args:
        stratum: by group, as ``strata`` gives it.
        shares: of the groups, > 0, on any scale: ``50, 20, 30``. Three are called train, val and test; two
            train and test; others ``part1``, ``part2`` and so on.
        seed: another one, another split.

    Returns:
        The split of each group. With fewer groups than shares, some splits stay empty.

    Raises:
        ItemsError: fewer than two shares, or one that is no positive number.
    """
    if len(shares) < min(_NAMES) or not all(math.isfinite(share) and share > 0 for share in shares):
        given = ",".join(f"{share:g}" for share in shares) or "none"
        raise ItemsError(f"The shares are {given}. Give two or more positive numbers, such as 50,20,30.")
    names = _NAMES.get(len(shares)) or tuple(f"part{i + 1}" for i in range(len(shares)))
    total = math.fsum(shares)
    n_dealt = [0] * len(shares)
    split: dict[str, str] = {}
    for n, group in enumerate(sorted(stratum, key=lambda each: (stratum[each], _lot(seed, each))), start=1):
        lag = [share * n - dealt * total for share, dealt in zip(shares, n_dealt, strict=True)]
        chosen = lag.index(max(lag))
        n_dealt[chosen] += 1
        split[group] = names[chosen]
    return split


def leave_one_group_out(groups: Iterable[str]) -> dict[str, str]:
    """Give every group a split of its own: ``fold001`` and so on, by the groups' order as text."""
    ordered = sorted(set(groups))
    width = max(3, len(str(len(ordered))))
    return {group: f"fold{i:0{width}}" for i, group in enumerate(ordered, start=1)}


def names_alone(paths: Sequence[str]) -> dict[str, str]:
    """Name images that are groups of their own: by their paths below the folder that all of them share.

    So neither the split nor its hash depends on where the images lie.

    Args:
        paths: absolute.
    """
    shared = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""  # noqa: PTH120
    return {path: os.path.relpath(path, shared) for path in paths}


def split_hash(split: Mapping[str, str]) -> str:
    """Name a split: equal hashes mean that the same groups are in the same splits.

    Returns:
        SHA-256, in hex, over ``group``, NUL, ``split``, NUL for each group, sorted by the groups' bytes.
    """
    pairs = sorted((_bytes(group), _bytes(name)) for group, name in split.items())
    return hashlib.sha256(b"".join(group + b"\0" + name + b"\0" for group, name in pairs)).hexdigest()


def _lot(seed: int, group: str) -> bytes:
    return hashlib.sha256(b"%d\0" % seed + _bytes(group)).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
