"""One generation of an index in one file, and back."""

from indexer.snapshot.restore import Restored, restore_snapshot
from indexer.snapshot.take import Snapshot, take_snapshot

__all__ = ["Restored", "Snapshot", "restore_snapshot", "take_snapshot"]
