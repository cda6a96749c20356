"""The web's entrance for WSGI servers."""

import os

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import reset_queries

from config.chunked import measured
from config.collector import collect_seldom
from config.databases import require_fit_database
from config.embedded import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if "BURSAR_SUPERVISED" in os.environ:
    processes.die_with_parent()  # a web worker must not go on serving when its master was killed

application = measured(get_wsgi_application())
require_fit_database()
# Django tidies up around each request what is not left behind here: Redis' connections stay in their pool, and a
# list of the statements is kept under DEBUG alone.
request_finished.disconnect(close_caches)
if not settings.DEBUG:
    request_started.disconnect(reset_queries)
collect_seldom()
