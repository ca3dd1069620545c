"""An index as a table that other programs read."""

from indexer.exporting.export import Exported, export_index

__all__ = ["Exported", "export_index"]
