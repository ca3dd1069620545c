"""The formats of the index directory, and the way from each older one to today's: one file a step."""

from indexer.formats.step import Step
from indexer.formats.upgrade import (
    FORMAT,
    check_format,
    connect_published,
    open_older,
    upgrade_catalog,
    upgrade_manifest,
)

__all__ = [
    "FORMAT",
    "Step",
    "check_format",
    "connect_published",
    "open_older",
    "upgrade_catalog",
    "upgrade_manifest",
]
