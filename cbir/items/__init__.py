"""Which images there are: folders, globs, items files, PACS."""

from cbir.items.find import find_items
from cbir.items.found import Found, Refused, is_remote
from cbir.items.ordinal import label_order
from cbir.items.source import Source
from cbir.items.table import Table, read_table

__all__ = ["Found", "Refused", "Source", "Table", "find_items", "is_remote", "label_order", "read_table"]
