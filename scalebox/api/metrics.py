"""`/metrics`: the engine's status and the API's own counts in Prometheus' words.

Nothing is counted twice: the numbers live where they arise (the engine's `Status`, the API's
context) and are read when somebody scrapes, so a request costs no metric object.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from scalebox.api.context import ApiContext

_SLOT_STATES = ("starting", "idle", "busy", "broken")


class _Scrape(Collector):
    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def collect(self) -> Iterable[Metric]:
        yield from self._engine()
        yield from self._api()

    def _engine(self) -> Iterable[Metric]:
        status = self._context.engine.status()
        facts = GaugeMetricFamily(
            "scalebox_info",
            "What this daemon is; always 1",
            labels=("version", "node", "isolation", "enforcement"),
        )
        facts.add_metric((status.version, status.node, status.isolation, status.enforcement), 1)
        yield facts
        yield _gauge("uptime_seconds", "Seconds since start", status.uptime_s)
        yield _gauge("queued_cases", "Test cases waiting", status.queued_cases)
        yield _gauge("running_cases", "Test cases running", status.running_cases)
        yield _gauge("queue_limit_cases", "More waiting than this: 429", status.queue_limit_cases)
        draining = self._context.draining or status.draining
        yield _gauge("draining", "1 while only work at hand is finished", float(draining))
        states: Counter[str] = Counter(slot.state for slot in status.slots)
        slots = GaugeMetricFamily("scalebox_slots", "Slots by state", labels=("state",))
        for state in _SLOT_STATES:
            slots.add_metric((state,), states[state])
        yield slots
        yield _counter("slot_runs", "Programs run", sum(slot.runs for slot in status.slots))
        yield _counter(
            "slot_restarts", "Slots replaced", sum(slot.restarts for slot in status.slots)
        )
        for name, value in sorted(status.counters.items()):
            clean = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").removesuffix("_total")
            if clean and clean not in ("slot_runs", "slot_restarts"):
                yield _counter(clean, f"The engine's count of {name}", value)

    def _api(self) -> Iterable[Metric]:
        context = self._context
        requests = CounterMetricFamily(
            "scalebox_http_requests",
            "Finished HTTP requests (499: the client went away)",
            labels=("route", "method", "status"),
        )
        for (route, method, code), count in sorted(context.requests.items()):
            requests.add_metric((route, method, str(code)), count)
        yield requests
        items = CounterMetricFamily(
            "scalebox_batch_items", "Answered submissions of batches", labels=("outcome",)
        )
        for outcome, count in sorted(context.batch_items.items()):
            items.add_metric((outcome,), count)
        yield items
        yield _gauge("http_connections", "Open", context.connections())
        yield _gauge("http_active_requests", "Being handled now", len(context.active))
        yield _gauge("http_body_bytes", "Request bodies held", context.bodies.held_bytes)
        yield _gauge("idempotency_bytes", "Answers kept for retries", context.answers.kept_bytes)
        blobs = context.engine.blobs
        yield _gauge("blobs", "Blobs held", blobs.count)
        yield _gauge("blob_bytes", "Disk that blobs take", blobs.used_bytes)
        yield _gauge("problems", "Problems registered", context.engine.problems.count)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"scalebox_{name}", documentation, value=value)


def _counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(f"scalebox_{name}", documentation, value=value)


def render(context: ApiContext) -> tuple[bytes, str]:
    """The metrics' text, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Scrape(context))
    return generate_latest(registry), CONTENT_TYPE_LATEST
