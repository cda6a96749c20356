"""Evidence: the files of requisitions, for those who see the requisition."""

from django.contrib import admin
from django.http import FileResponse, HttpRequest
from django.urls import URLPattern, path, reverse

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Link
from ledger.admin.columns import instant_column
from ledger.admin.filters import between
from ledger.admin.pages import Fact, Page, Panel
from treasury.models import Attachment


def file_url(attachment: Attachment) -> str:
    """Where the file itself is handed out."""
    return reverse("admin:treasury_attachment_file", args=[attachment.pk])


@admin.register(Attachment)
class AttachmentAdmin(SeenAdmin):
    scope = "requisition__fund__"
    list_display = ("name", "requisition", "content_type", "uploaded_by", "uploaded_at_shown")
    list_filter = ("content_type", between("uploaded_at"))
    list_select_related = ("requisition__company", "uploaded_by")
    search_fields = ("name", "requisition__payee_name", "uploaded_by__username")
    date_hierarchy = "uploaded_at"
    uploaded_at_shown = instant_column(
        "uploaded_at", title="brought", company=lambda row: row.requisition.company
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        name = "treasury_attachment_file"
        return [path("<uuid:object_id>/file/", view, name=name), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: object) -> FileResponse:
        """Hand out the file: always to be saved, never shown by us, so that it can run nothing here."""
        attachment: Attachment = self.row_or_404(request, str(object_id))
        response = FileResponse(
            attachment.file.open("rb"),
            as_attachment=True,
            filename=attachment.name,
            content_type="application/octet-stream",
        )
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def page_for(self, request: HttpRequest, row: Attachment) -> Page:
        facts = (
            Fact("File", Link(row.name, file_url(row))),
            Fact("Requisition", cells.link(row.requisition)),
            Fact("Kind", cells.text(row.content_type)),
            Fact("Size", cells.text(f"{row.size:,} bytes")),
            Fact("Brought by", cells.text(row.uploaded_by)),
            Fact("When", cells.instant(row.uploaded_at, row.requisition.company)),
            Fact("SHA-256", cells.Code(row.sha256), wide=True),
        )
        return Page(row.name, panels=(Panel("Evidence", facts),))
