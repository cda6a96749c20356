"""Ordinary forms, for what is not money: only administrators use them, and every use is audited."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from ledger import audit
from ledger.admin.frame import framed
from ledger.admin.lists import List
from ledger.admin.pages import Page, history
from ledger.admin.requests import actor_of, user_of
from ledger.encryption import mask


class FormAdmin(ModelAdmin):
    """Rows that administrators add and change by form; nobody deletes any.

    Django's own log is replaced by the audit trail, written in the transaction of the change.
    """

    list_per_page = 25
    show_full_result_count = False
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return user_of(request).is_active and user_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return List

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """What is out of sight is not found, in the same words as what is not there."""
        raise Http404(f"There is no such {opts.verbose_name}.")

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 -- Django's own signature
    ) -> Any:
        """What the form changes, as the audit trail keeps it; secrets only by name."""
        names = list(form.cleaned_data) if add else list(form.changed_data)
        return {
            "before": {} if add else {name: _shown(name, form.initial.get(name)) for name in names},
            "after": {name: _shown(name, form.cleaned_data.get(name)) for name in names},
        }

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._record(request, obj, "add", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._record(request, obj, "change", message)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The audit trail of the row."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        page = Page(str(row), panels=(history([self.subject_of(row)], None),))
        return framed(self, request, "row", title=page.title, page=page, original=row)

    def subject_of(self, obj: Any) -> str:
        return f"{self.opts.app_label}.{self.opts.model_name}:{obj.pk}"

    def company_of(self, obj: Any) -> Any:
        """The id of the company that a row belongs to, if it does."""
        return getattr(obj, "company_id", None)

    def _record(
        self, request: HttpRequest, obj: Any, verb: str, message: Mapping[str, Any]
    ) -> None:
        audit.record(
            actor=actor_of(request),
            action=f"{self.opts.model_name}.{verb}",
            subject=self.subject_of(obj),
            company_id=self.company_of(obj),
            before=message["before"],
            after=message["after"],
        )


def _shown(name: str, value: Any) -> str:
    if "password" in name:
        return "set anew"
    if name == "phone":
        return mask(str(value or ""))
    return "" if value is None else str(value)
