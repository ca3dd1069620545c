"""The stores that find neighbours; a store is one file here and one line in ``STORES``."""

from indexer.stores import exact, faiss
from indexer.stores.qdrant import kind as qdrant_kind
from indexer.stores.store import INDEX_ID, Built, Generation, LiveStore, Neighbours, Store, StoreKind

__all__ = ["INDEX_ID", "STORES", "Built", "Generation", "LiveStore", "Neighbours", "Store", "StoreKind"]

STORES: dict[str, StoreKind] = {
    "exact": exact.KIND,
    "faiss": faiss.KIND,
    "qdrant": qdrant_kind.KIND,
}
