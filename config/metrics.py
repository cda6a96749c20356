"""Metrics for Prometheus at /metrics: what this machine's processes measured, and what PostgreSQL knows.

Durations are kept by each process in a file of its own (``PROMETHEUS_MULTIPROC_DIR``) and added up when
somebody asks, so it does not matter which process answers. What concerns the whole installation is asked of
the database. Labels are names of routes, tasks, states and signs: few, known, and nobody's.
"""

import functools
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis import Redis
from redis.exceptions import RedisError

from config.monitors import is_monitor
from config.signs import signs
from payments.models import Provider
from treasury.models import Payment
from treasury.states import PaymentStatus

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TASK_STATES = frozenset({"SUCCESS", "FAILURE", "RETRY", "REJECTED", "IGNORED", "REVOKED"})
KEPT_S = 10.0
# In multi-process mode every process writes its own; this one is read by nobody.
_own = CollectorRegistry()
_requests = Histogram(
    "bursar_request_seconds",
    "How long requests took, by route.",
    ("method", "route", "status"),
    registry=_own,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_tasks = Histogram(
    "bursar_task_seconds",
    "How long tasks took, by name.",
    ("task", "state"),
    registry=_own,
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 240),
)


def measure_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request. What is not one of our routes counts as ``unmatched``, whatever its address."""
    method = request.method if request.method in METHODS else "OTHER"
    _requests_like(str(method), route_of(request), status // 100).observe(seconds)


@functools.cache
def _requests_like(method: str, route: str, hundreds: int) -> Histogram:
    """The histogram of one method, route and kind of answer; there are some hundreds of them."""
    _folder()
    histogram: Histogram = _requests.labels(method, route, f"{hundreds}xx")
    return histogram


def route_of(request: HttpRequest) -> str:
    """The route's pattern, such as ``api/payments/<uuid:pk>/``: never an id."""
    match = request.resolver_match
    return str(match.route) if match is not None else "unmatched"


def measure_task(name: str, state: str, seconds: float) -> None:
    """Count a task that ran."""
    _folder()
    _tasks.labels(name, state if state in TASK_STATES else "OTHER").observe(seconds)


@functools.cache
def _folder() -> str:
    """The folder of the processes' files, made when the first of them counts something."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in Prometheus's text format, for whoever may monitor; 403 for others."""
    if not is_monitor(request):
        return HttpResponse("Not for you.\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=_folder())  # type: ignore[no-untyped-call]
    registry.register(Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Installation:
    """What the database and the broker know; the same from every machine, asked again after ten seconds."""

    _known: tuple[float, list[Metric]] = (float("-inf"), [])

    def collect(self) -> Iterable[Metric]:
        at, known = Installation._known
        if time.monotonic() - at > KEPT_S:
            known = list(_of_installation())
            Installation._known = (time.monotonic(), known)
        return known

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return ()


def _of_installation() -> Iterator[Metric]:
    yield from _of_signs()
    yield _queue()
    try:
        yield from _of_business()
    except DatabaseError:
        up = 0
    else:
        up = 1
    yield _gauge("bursar_database_up", "Whether the database answers.", {(): up})


def _of_signs() -> Iterator[Metric]:
    found = list(signs())
    yield _gauge(
        "bursar_sign_well",
        "1 for what goes on as it must, 0 for what needs attention.",
        {(sign.name,): int(sign.well) for sign in found},
        "sign",
    )
    yield _gauge(
        "bursar_sign_age_seconds",
        "How old it is: the last sign of life, the oldest that waits, the lag.",
        {(sign.name,): sign.age_s for sign in found if sign.age_s is not None},
        "sign",
    )
    yield _gauge(
        "bursar_sign_count",
        "How many there are of what waits or is wrong.",
        {(sign.name,): sign.count for sign in found if sign.count is not None},
        "sign",
    )


def _queue() -> Metric:
    """The tasks that wait in the broker; left out while it is down."""
    waiting: dict[tuple[str, ...], float] = {}
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        ) as broker:
            prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
            waiting[()] = float(broker.llen(f"{prefix}celery"))
    except (RedisError, OSError):
        waiting.clear()
    return _gauge("bursar_queue_length", "Tasks that wait for a worker.", waiting)


def _of_business() -> Iterator[Metric]:
    rows = Payment.objects.order_by().values_list("status").annotate(Count("pk"))
    counted = dict(rows)
    yield _gauge(
        "bursar_payments",
        "Payments by status.",
        {(status,): counted.get(status, 0) for status in PaymentStatus.values},
        "status",
    )
    providers: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for provider in Provider.objects.only("kind", "active", "stopped_at"):
        providers[provider.kind, str(provider.status)] += 1
    yield _gauge("bursar_providers", "Accounts at gateways by state.", providers, "kind", "status")


def _gauge(
    name: str, help_text: str, values: dict[tuple[str, ...], float], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
