"""Bursar's settings as the tests need them: own services, own files, fast passwords.

`tests/conftest.py` starts the services. A process that a test starts (a worker to be killed, a command)
uses these settings too when given the ``child_environment`` fixture.
"""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The cluster stays between runs: a migrated database is copied, not made again.
TEST_HOME = Path(os.environ.get("BURSAR_TEST_HOME", ROOT / ".pytest_cache" / "bursar"))
if "BURSAR_TEST_FILES" not in os.environ:
    os.environ["BURSAR_HOME"] = str(TEST_HOME)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "EMAIL_URL"):
        os.environ.pop(name, None)
    FILES = Path(tempfile.mkdtemp(prefix="bursar-test-"))
    os.environ["REDIS_URL"] = f"unix://{FILES}/redis.sock?db=0"
    os.environ["BURSAR_DEMO"] = "0"
else:
    FILES = Path(os.environ["BURSAR_TEST_FILES"])
os.environ.setdefault("ALLOWED_HOSTS", "testserver")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(FILES / "metrics")
os.environ["LOG_FORMAT"] = "json"

from config.settings import *  # noqa: E402, F403

# A test may keep one transaction open while others of its process run.
OPTIONS = DATABASES["default"]["OPTIONS"]  # noqa: F405
if "options" in OPTIONS:
    OPTIONS["options"] += " -c idle_in_transaction_session_timeout=0"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = FILES / "media"
EMAIL_FILE_PATH = str(FILES / "mail")
BURSAR_ANCHOR = FILES / "anchor.jsonl"
# Otherwise every test client looks at every static file before its first request.
WHITENOISE_AUTOREFRESH = True
