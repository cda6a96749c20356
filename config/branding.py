"""What the admin says about the instance it belongs to."""

from django.conf import settings
from django.http import HttpRequest


def environment(request: HttpRequest) -> list[str] | None:
    """The chip beside the title: demo instances say what they are."""
    return ["Demo", "warning"] if settings.BURSAR_DEMO else None
