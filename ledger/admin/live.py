"""Statuses that follow what happens while a page is open.

The page's script (``bursar/live.js``) asks every few seconds for the badges that it shows; where nothing has
changed the answer is 304 and empty. A row's own page is drawn anew when its status changes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.cache import get_conditional_response

from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Tone
from ledger.admin.columns import Column, column


def entity_tag(content: bytes) -> str:
    """Return the ETag of an answer: the same for the same content, and for nothing else."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def watched(row: Any, tones: Mapping[str, Tone], text: str = "") -> Badge:
    """The status of a row as a badge that follows it; ``text`` is its ``live_text``, if it has one."""
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_live")
    return replace(_badge(row, tones, text), live=str(row.pk), watch=url)


def live_status_column(tones: Mapping[str, Tone]) -> Column:
    """The status as a badge that follows its row."""
    return column(
        lambda row: watched(row, tones), title="status", order="status", name="status_badge"
    )


def _badge(row: Any, tones: Mapping[str, Tone], text: str = "") -> Badge:
    return Badge(text or row.get_status_display(), tones.get(row.status, "quiet"))


class LiveAdmin(SeenAdmin):
    """Rows whose status can be watched; ``live_tones`` gives each its colour."""

    live_tones: ClassVar[Mapping[str, Tone]]

    def live_text(self, row: Any) -> str:
        """What a row's badge says; empty: the name of its status."""
        return ""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_live"
        view = self.admin_site.admin_view(self.live_view)
        return [path("live/", view, name=name), *super().get_urls()]

    def live_view(self, request: HttpRequest) -> HttpResponseBase:
        """Say the statuses of up to a hundred rows within sight; 304 when the caller knows them."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405)
        rows = self.rows_of(request, request.GET.getlist("id")[: self.list_per_page])
        badges = {str(row.pk): _badge(row, self.live_tones, self.live_text(row)) for row in rows}
        said = {key: {"text": badge.text, "tone": badge.tone} for key, badge in badges.items()}
        answer = JsonResponse(said)
        answer.headers["ETag"] = tag = entity_tag(json.dumps(said, sort_keys=True).encode())
        return get_conditional_response(request, etag=tag, response=answer) or answer
