"""Every address: what each app names in its `api/urls.py`, the admin, the schema, health."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import pages
from config.health import health
from config.metrics import metrics

APPS = ("ledger", "payments", "treasury", "budgeting", "periods")


def of_apps() -> list[URLPattern | URLResolver]:
    """The ``urlpatterns`` of each app's `api/urls.py` and `pages/urls.py`, written from the root."""
    found: list[URLPattern | URLResolver] = []
    for app in APPS:
        for entrance in ("api", "pages"):
            if find_spec(app) and find_spec(f"{app}.{entrance}"):
                found += import_module(f"{app}.{entrance}.urls").urlpatterns
    return found


urlpatterns = [
    path("", pages.home, name="home"),
    path("demo/inbox/", pages.demo_inbox, name="demo-inbox"),
    path("health/", health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("problems/", pages.all_problems, name="problems"),
    path("problems/<slug:code>/", pages.problem, name="problem"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    *of_apps(),
    path("admin/", admin.site.urls),
]


handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.failed
