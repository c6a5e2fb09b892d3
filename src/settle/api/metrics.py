"""What the operator measures, in Prometheus' text format. Counts only: no trade, no participant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)

Gauges = Mapping[str, Mapping[str, int]]
"""Numbers read when asked: by name, and then by the value of the one label, "" for none."""


class _ReadWhenAsked(Collector):
    def __init__(
        self, read: Callable[[], Gauges], described: Mapping[str, tuple[str, str]]
    ) -> None:
        self._read = read
        self._described = described

    def collect(self) -> Iterable[Metric]:
        found = self._read()
        for name, (text, label) in self._described.items():
            family = GaugeMetricFamily(f"settle_{name}", text, labels=[label] if label else [])
            for value, number in found.get(name, {}).items():
                family.add_metric([value] if label else [], number)
            yield family


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter(
            "settle_http_requests",
            "Requests by operation and status",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.duration = Histogram(
            "settle_http_request_seconds",
            "Time to answer, streams left out",
            ["method", "route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self.items = Counter(
            "settle_items",
            "Trades, signatures and messages received, by outcome",
            ["kind", "outcome"],
            registry=self._registry,
        )
        self.loop_failures = Counter(
            "settle_loop_failures",
            "Rounds of a background loop that ended in an error",
            ["loop"],
            registry=self._registry,
        )

    def watch(self, read: Callable[[], Gauges], described: Mapping[str, tuple[str, str]]) -> None:
        """Ask `read` whenever somebody reads; `described`: sentence and label by name."""
        self._registry.register(_ReadWhenAsked(read, described))

    def text(self) -> bytes:
        """Write all of it."""
        return generate_latest(self._registry)
