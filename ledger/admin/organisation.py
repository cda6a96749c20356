"""Companies, regions and branches: read by those who work there, changed by administrators."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.access import companies_of, visible
from ledger.admin.filters import seen
from ledger.admin.forms import FormAdmin
from ledger.admin.requests import reads, user_of
from ledger.models import Branch, Company, Region


class OrganisationAdmin(FormAdmin):
    """A part of the organisation, within the person's sight."""

    scope: ClassVar[str] = ""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reads(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reads(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return visible(rows, user_of(request), prefix=self.scope, by_company_only=True)


@admin.register(Company)
class CompanyAdmin(OrganisationAdmin):
    list_display = ("name", "code", "currency", "time_zone", "separate_executor")
    search_fields = ("name", "code")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return companies_of(user_of(request)).order_by("name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What the books rest on stays as it was."""
        return ("code", "currency", "time_zone") if obj else ()

    def company_of(self, obj: Any) -> Any:
        return obj.pk


@admin.register(Region)
class RegionAdmin(OrganisationAdmin):
    list_display = ("name", "company")
    list_filter = (seen("company"),)
    list_select_related = ("company",)
    search_fields = ("name", "company__name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("company",) if obj else ()


@admin.register(Branch)
class BranchAdmin(OrganisationAdmin):
    scope = "region__"
    list_display = ("name", "region", "company")
    list_filter = (seen("region"),)
    list_select_related = ("region__company",)
    search_fields = ("name", "region__name", "region__company__name")

    @admin.display(ordering="region__company__name")
    def company(self, row: Branch) -> str:
        return str(row.region.company)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("region",) if obj else ()

    def company_of(self, obj: Any) -> Any:
        return obj.region.company_id
