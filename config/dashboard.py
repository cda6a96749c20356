"""The admin's first page: what waits for the person who looks at it."""

from typing import Any

from django.http import HttpRequest

from ledger.admin.requests import reads, user_of
from treasury.admin.waiting import funds_panel, own_requisitions, waiting_panels


def what_waits(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the panels of what waits, and of how the funds stand."""
    if not reads(request):
        return context | {"title": "What waits for you", "waiting": [], "standing": []}
    user = user_of(request)
    standing = [panel for panel in (funds_panel(user), own_requisitions(user)) if panel]
    return context | {
        "title": "What waits for you",
        "waiting": waiting_panels(user),
        "standing": standing,
    }
