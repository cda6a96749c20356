"""Every address: what each app names in its `api/urls.py`, the admin, the schema, health."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import pages
from config.health import health
from config.metrics import metrics

# Routes are tried in this order, so what is asked for most comes first.
APPS = ("treasury", "payments", "ledger", "budgeting", "periods")


NOUN = re.compile(r"(api|core)/[\w-]+/")


def of_apps() -> list[URLPattern]:
    """The ``urlpatterns`` of each app's `api/urls.py` and `pages/urls.py`, written from the root."""
    found: list[URLPattern] = []
    for app in APPS:
        for entrance in ("api", "pages"):
            if find_spec(app) and find_spec(f"{app}.{entrance}"):
                found += import_module(f"{app}.{entrance}.urls").urlpatterns
    return found


def under_nouns(routes: Iterable[URLPattern]) -> Iterator[URLPattern | URLResolver]:
    """The same routes in the same order, those in a row under one noun (`api/payments/`) as one.

    So an address is compared with the nouns and with the routes of its own, not with all the routes there are.
    """
    for noun, row in groupby(routes, key=_noun):
        if noun:
            yield path(noun, include([_below(noun, route) for route in row]))
        else:
            yield from row


def _noun(route: URLPattern) -> str:
    found = NOUN.match(str(route.pattern))
    return found[0] if found else ""


def _below(noun: str, route: URLPattern) -> URLPattern:
    rest = str(route.pattern).removeprefix(noun)
    return path(rest, route.callback, route.default_args, name=route.name)


urlpatterns = [
    *under_nouns(of_apps()),
    path("", pages.home, name="home"),
    path("demo/inbox/", pages.demo_inbox, name="demo-inbox"),
    path("health/", health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("problems/", pages.all_problems, name="problems"),
    path("problems/<slug:code>/", pages.problem, name="problem"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
]


handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.failed
