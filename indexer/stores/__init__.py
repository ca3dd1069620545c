"""The stores that find neighbours; a store is one file here and one line in ``STORES``."""

from indexer.stores import exact, faiss
from indexer.stores.qdrant import kind as qdrant_kind
from indexer.stores.store import Built, Generation, Neighbours, Store, StoreKind

__all__ = ["STORES", "Built", "Generation", "Neighbours", "Store", "StoreKind"]

STORES: dict[str, StoreKind] = {
    "exact": exact.KIND,
    "faiss": faiss.KIND,
    "qdrant": qdrant_kind.KIND,
}
