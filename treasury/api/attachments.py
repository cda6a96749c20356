"""Attachments: the evidence beside a requisition."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.resource import Doing, Resource
from ledger.api.serializers import Input, Output
from treasury import duties
from treasury.models import Attachment, Requisition
from treasury.selectors import attachments_seen_by, requisitions_seen_by
from treasury.services.attachments import add_attachment, read_attachment


class AttachmentSerializer(Output):
    class Meta:
        model = Attachment
        fields = (
            "attachment_id", "requisition", "name", "sha256", "size", "content_type",
            "uploaded_by", "uploaded_at",
        )  # fmt: skip


class AttachmentInput(Input):
    file = serializers.FileField(help_text="A PDF, PNG or JPEG.")


class AttachmentList(Doing):
    """GET: List a requisition's attachments
    POST: Attach a file to one's own requisition, until it is approved
    """

    rows, results = staticmethod(requisitions_seen_by), staticmethod(attachments_seen_by)
    key, noun, action = "requisition_id", "treasury.requisition", "requisition.attach"
    Input, Output, status_code = AttachmentInput, AttachmentSerializer, 201
    ordering = ("uploaded_at", "attachment_id")
    refusals = {
        400: "attachment_type, attachment_too_large",
        409: "evidence_fixed, already_attached, too_many_attachments",
    }

    def get(self, request: Request, **path: Any) -> Response:
        attachments = attachments_seen_by(self.user).filter(requisition=self.found())
        page = self.paginate_queryset(attachments.order_by(*self.ordering))
        return self.get_paginated_response([self.shown(row) for row in page or ()])

    def permit(self, row: Requisition) -> None:
        duties.may_change_requisition(self.actor, row)

    def act(self, row: Requisition, data: dict[str, Any]) -> Attachment:
        file = data["file"]
        return add_attachment(
            actor=self.actor, requisition_id=row.pk, name=file.name, data=file.read()
        )


class AttachmentFile(Resource):
    """Download an attachment, byte for byte as it came."""

    Output = OpenApiTypes.BINARY
    produces = ("application/pdf", "image/png", "image/jpeg")

    def get(self, request: Request, **path: Any) -> HttpResponse:
        rows = attachments_seen_by(self.user).filter(requisition=path["requisition_id"])
        attachment = get_object_or_404(rows, pk=path["attachment_id"])
        answer = HttpResponse(read_attachment(attachment), content_type=attachment.content_type)
        answer.headers["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=attachment.name
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
