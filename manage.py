#!/usr/bin/env python
"""Bursar's commands; each joins the running instance or starts PostgreSQL and Redis for itself."""

import os
import sys

from config.embedded import instance, session


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["run"]:
        raise SystemExit(instance.main(sys.argv[2:]))
    with session.services_for(sys.argv):
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 -- after the services
        from django.core.management import execute_from_command_line  # noqa: PLC0415

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            # What the settings say is for whoever runs the command; where in the code it was found is not.
            raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
