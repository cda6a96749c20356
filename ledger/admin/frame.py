"""Our own pages within the admin's frame."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin


def framed(
    held: ModelAdmin, request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of ours, under the name of the model that ``held`` is the admin of."""
    frame = held.admin_site.each_context(request)
    shown = {**frame, "opts": held.opts, "is_popup": False, "subtitle": None, **context}
    return TemplateResponse(request, f"admin/bursar/{template}.html", shown, status=status)
