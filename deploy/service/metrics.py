"""Numbers for Prometheus, in a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """What is counted; no label holds what a caller sent."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "cbir_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "cbir_request_seconds", "From a request's first byte to its answer's last.", ("route",),
            buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self.searches = Counter(
            "cbir_searches", "Searches answered.", ("index", "asked_by"), registry=self._registry
        )
        self.admitted = Gauge(
            "cbir_requests_admitted", "Requests under way: worked on or waiting.", registry=self._registry
        )
        self.refused = Counter(
            "cbir_requests_refused", "Requests that were not worked on.", ("why",), registry=self._registry
        )
        self.generation = Gauge(
            "cbir_index_generation", "The generation that is served.", ("index",), registry=self._registry
        )
        self.items = Gauge("cbir_index_items", "Items of the index.", ("index",), registry=self._registry)
        self.is_there = Gauge(
            "cbir_index_up", "1 where the index can be searched.", ("index",), registry=self._registry
        )

    def page(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)
