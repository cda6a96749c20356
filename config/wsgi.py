"""The web's entrance for WSGI servers."""

import gc
import os

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import reset_queries

from config.chunked import measured
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
# What is there now stays: the collector need not look through it again and again. What requests leave in
# circles is little, so it looks after some thousands of objects, and not several times in each request.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
