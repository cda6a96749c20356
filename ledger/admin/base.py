"""What every Bursar admin page is made of: rows within sight, read-only, acted on by steps alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from ledger.access import companies_of, roles_of, visible
from ledger.admin.cells import page_of
from ledger.admin.frame import framed
from ledger.admin.lists import List
from ledger.admin.pages import Page
from ledger.admin.paginator import Newest
from ledger.admin.requests import actor_of, reads, roles_anywhere, user_of
from ledger.admin.steps import MOST_ROWS, Outcome, Step, StepForm, attempt
from ledger.downloads import file_answer
from ledger.exports import CONTENT_TYPES, Export, write_export
from ledger.refusals import Refusal
from ledger.results import keep_result, kept_result
from ledger.roles import Role

WRITTEN_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,4})?", re.ASCII)


class SeenAdmin(ModelAdmin):
    """Rows of the organisations that the person works for; nobody adds, changes or deletes one by form.

    ``scope`` leads from a row to what has company, region and branch; with ``own_company`` a law ties the
    row's own company to that one. Superusers see every row and may
    change none either. A subclass describes a row's page in ``page_for``.
    """

    scope: ClassVar[str] = ""
    by_company_only: ClassVar[bool] = False
    whole_company: ClassVar[bool] = False
    own_company: ClassVar[bool] = False
    steps: ClassVar[Sequence[Step]] = ()
    creation: ClassVar[Step | None] = None
    amount_fields: ClassVar[Sequence[str]] = ()
    export: ClassVar[Export | None] = None
    list_per_page = 25
    list_max_show_all = 25
    show_full_result_count = False
    paginator = Newest
    list_filter_submit = True
    list_filter_sheet = True
    actions_on_top = True

    def __init__(self, model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        self.show_add_link = self.creation is not None
        if self.export:
            self.list_after_template = "admin/bursar/export.html"  # type: ignore[assignment]

    # --- Who sees what ---------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return visible(
            rows,
            user_of(request),
            prefix=self.scope,
            by_company_only=self.by_company_only,
            whole_company=self.whole_company,
            own_company=self.own_company,
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reads(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reads(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether to offer the page that makes a new row through a command."""
        return (
            self.creation is not None
            and self.has_view_permission(request)
            and not self.creation.roles.isdisjoint(roles_anywhere(request))
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row, if it is within sight: another company's is not found, as one that is not there."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search the text fields, and what ``also_found`` adds."""
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        also = self.also_found(search_term.strip())
        return (rows | queryset.filter(also) if also else rows), duplicates

    def also_found(self, asked: str) -> Q:
        """What a search finds besides text: here amounts, when it reads as one."""
        written = asked.replace(",", "")
        found = Q()
        if WRITTEN_AMOUNT.fullmatch(written):
            for name in self.amount_fields:
                found |= Q(**{name: Decimal(written)})
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return List

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, without the company for who works for one alone."""
        names = list(super().get_list_display(request))
        if "company" in names and len(companies_of(user_of(request))[:2]) < 2:
            names.remove("company")
        return names

    # --- A row's page ----------------------------------------------------------------------------
    def page_for(self, request: HttpRequest, row: Any) -> Page:
        """Describe the row's page."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the row; nothing is ever sent to this address."""
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request):
            raise PermissionDenied
        row = self.row_or_404(request, object_id)
        page = self.page_for(request, row)
        offers = self.offers(request, row)
        return framed(
            self, request, "row", title=page.title, page=page, offers=offers, original=row
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The history stands on the row's page."""
        return HttpResponseRedirect(f"{page_of(self.row_or_404(request, object_id))}#history")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a new row through the creation's command."""
        step = self.creation
        if step is None or not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.ask_new(request, step, step.form(user=user_of(request)))
        form = step.form(request.POST, request.FILES, user=user_of(request))
        if not form.is_valid():
            return self.ask_new(request, step, form, status=400)
        try:
            row = step.run(actor_of(request), None, form.cleaned_data)
        except Refusal as refusal:
            form.refuse(refusal)
            return self.ask_new(request, step, form, status=refusal.status)
        assert isinstance(row, Model)
        messages.success(request, f"{row}: {step.done}.")
        return HttpResponseRedirect(page_of(row))

    def ask_new(
        self, request: HttpRequest, step: Step, form: StepForm, *, status: int = 200
    ) -> HttpResponse:
        """Show the form that makes a new row."""
        return framed(
            self,
            request,
            "step",
            status=status,
            title=step.label,
            step=step,
            step_url=request.path,
            form=form,
            back=self.list_url(),
        )

    # --- Steps -----------------------------------------------------------------------------------
    def place_of(self, row: Any) -> Any:
        """What has the company, region and branch of a row."""
        for name in self.scope.split("__")[:-1]:
            row = getattr(row, name)
        return row

    def roles_at(self, request: HttpRequest, row: Any) -> frozenset[Role]:
        """The person's roles where the row is."""
        place = self.place_of(row)
        return roles_of(
            user_of(request),
            company_id=place.company_id,
            region_id=getattr(place, "region_id", None),
            branch_id=getattr(place, "branch_id", None),
        )

    def offers(self, request: HttpRequest, row: Any) -> list[tuple[Step, str, str]]:
        """The steps that the row's page offers: step, address, and what speaks against it."""
        if not self.steps:
            return []
        held = self.roles_at(request, row)
        actor = actor_of(request)
        found = ((step, step.against(row, actor, held)) for step in self.steps)
        return [
            (step, f"{self.step_url(step)}?id={row.pk}", against)
            for step, against in found
            if against is not None
        ]

    def step_url(self, step: Step) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_step"
        return reverse(name, args=[step.name])

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        steps = path("steps/<slug:name>/", self.admin_site.admin_view(self.step_view), name=name)
        shown = self.admin_site.admin_view(self.outcomes_view)
        outcomes = path("steps/<slug:name>/outcomes/<slug:key>/", shown, name=f"{name}_outcomes")
        return [steps, outcomes, *self._export_urls(), *super().get_urls()]

    def _export_urls(self) -> list[URLPattern]:
        if self.export is None:
            return []
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:wanted>/", view, name=name)]

    def export_view(self, request: HttpRequest, wanted: str) -> HttpResponseBase:
        """All the rows that the list shows, over all its pages, as a file."""
        if wanted not in CONTENT_TYPES or not self.has_view_permission(request):
            raise Http404("There is no such file.")
        assert self.export is not None
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
            return file_answer(write_export(self.export, rows, wanted), self.export, wanted)
        except IncorrectLookupParameters:
            raise Http404("There is no such list.") from None
        except Refusal as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(f"{self.list_url()}?{request.GET.urlencode()}")

    def get_actions(
        self, request: HttpRequest
    ) -> dict[str, tuple[Callable[..., Any], str, str] | None]:
        """The steps that can be done to many rows; each only asks, on the page that can be confirmed."""
        held = roles_anywhere(request)
        return {
            step.name: (_asks(step), step.name, step.label)
            for step in self.steps
            if step.bulk and not step.roles.isdisjoint(held)
        }

    def step_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask about a step (GET), or do it (POST)."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None or not self.has_view_permission(request):
            raise Http404("There is no such step.")
        posted = request.method == "POST"
        rows = self.rows_of(request, (request.POST if posted else request.GET).getlist("id"))
        return self.do(request, step, rows) if posted else self.ask(request, step, rows)

    def rows_of(self, request: HttpRequest, ids: Sequence[str]) -> list[Any]:
        """The rows with these ids, in the order given; all of them within sight, else nothing is found."""
        wanted = list(dict.fromkeys(ids))
        try:
            found = {str(row.pk): row for row in self.get_queryset(request).filter(pk__in=wanted)}
        except (ValidationError, ValueError):
            found = {}
        if not wanted or len(wanted) > MOST_ROWS or any(key not in found for key in wanted):
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return [found[key] for key in wanted]

    def ask(
        self,
        request: HttpRequest,
        step: Step,
        rows: Sequence[Any],
        form: StepForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """Show what is about to happen to which rows, and the form that makes it happen."""
        form = form or step.form(rows=rows, user=user_of(request))
        return framed(
            self,
            request,
            "step",
            status=status,
            title=step.label,
            step=step,
            step_url=self.step_url(step),
            form=form,
            rows=[(row, self.in_short(row), step.doubt(row, actor_of(request))) for row in rows],
            back=page_of(rows[0]) if len(rows) == 1 else self.list_url(),
        )

    def in_short(self, row: Any) -> str:
        """A row in one line, for the page that asks."""
        return str(row)

    def do(self, request: HttpRequest, step: Step, rows: Sequence[Any]) -> HttpResponse:
        """Do a step to each row, and say what came of each."""
        form = step.form(request.POST, request.FILES, rows=rows, user=user_of(request))
        if not form.is_valid():
            return self.ask(request, step, rows, form, status=400)
        outcomes = [attempt(step, actor_of(request), row, form.cleaned_data) for row in rows]
        if len(outcomes) > 1:
            told = [
                (one.name, self._page_after(step, one), one.refusal.detail if one.refusal else "")
                for one in outcomes
            ]
            key = keep_result(request, self.step_url(step), told)
            return HttpResponseRedirect(f"{self.step_url(step)}outcomes/{key}/")
        return self._answer(request, step, form, outcomes[0])

    def outcomes_view(self, request: HttpRequest, name: str, key: str) -> HttpResponse:
        """Show what came of a step on each of many rows; nothing is ever sent to this address."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None or not self.has_view_permission(request):
            raise Http404("There is no such step.")
        outcomes = kept_result(request, self.step_url(step), key)
        if outcomes is None:
            messages.info(request, "What came of it is not shown any more; the rows are below.")
            return HttpResponseRedirect(self.list_url())
        return framed(
            self,
            request,
            "outcomes",
            title=step.label,
            step=step,
            outcomes=outcomes,
            done=sum(not against for _, _, against in outcomes),
            back=self.list_url(),
        )

    def _answer(
        self, request: HttpRequest, step: Step, form: StepForm, outcome: Outcome
    ) -> HttpResponse:
        if outcome.refusal:
            form.refuse(outcome.refusal)
            row = self.row_or_404(request, str(outcome.row.pk))
            return self.ask(request, step, [row], form, status=outcome.refusal.status)
        messages.success(request, f"{outcome.name}: {step.answer_to(outcome.result)}.")
        return HttpResponseRedirect(self._page_after(step, outcome))

    def _page_after(self, step: Step, outcome: Outcome) -> str:
        if outcome.refusal:
            return page_of(outcome.row)
        if step.opens_result and isinstance(outcome.result, Model):
            return page_of(outcome.result)
        return self.list_url() if step.ends_row else page_of(outcome.row)

    def list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def _asks(step: Step) -> Callable[[SeenAdmin, HttpRequest, QuerySet[Model]], HttpResponse | None]:
    """The list's entry for a step: it shows the page that asks, about the rows that were ticked."""

    def ask(admin: SeenAdmin, request: HttpRequest, rows: QuerySet[Model]) -> HttpResponse | None:
        chosen = list(rows[: MOST_ROWS + 1])
        if len(chosen) > MOST_ROWS:
            messages.error(request, f"Choose {MOST_ROWS} rows or fewer at a time.")
            return None
        # The page that asks has an address of its own: whoever comes back to it sends nothing again.
        query = urlencode([("id", str(row.pk)) for row in chosen])
        return HttpResponseRedirect(f"{admin.step_url(step)}?{query}")

    return ask
