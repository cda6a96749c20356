"""What somebody at a terminal reads when an instance cannot start as it is set up."""

import os
import subprocess
import sys

from django.conf import settings


def test_a_setting_that_is_missing_is_named_without_the_places_in_the_code() -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")},
        "DATABASE_URL": "postgresql://bursar_app:secret@127.0.0.1:9/bursar",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "SECRET_KEY": "short",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "Set SECRET_KEY to 32 or more random characters.\n"
