"""Images that an index holds more than once: the same bytes, the same pixels, nearly the same."""

from indexer.duplicates.find import find_duplicates
from indexer.duplicates.report import Cluster, Duplicates, Kind, Pair

__all__ = ["Cluster", "Duplicates", "Kind", "Pair", "find_duplicates"]
