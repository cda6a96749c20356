"""The web's entrance for WSGI servers."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from config.chunked import measured
from config.databases import require_fit_database
from config.embedded import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if "BURSAR_SUPERVISED" in os.environ:
    processes.die_with_parent()  # a web worker must not go on serving when its master was killed

application = measured(get_wsgi_application())
require_fit_database()
# What is there now stays: the collector need not look through it again and again.
gc.collect()
gc.freeze()
