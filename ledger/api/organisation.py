"""Companies, regions and branches, to read."""

from rest_framework import serializers

from ledger.api.filters import FilterSet, UUIDFilter
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import Output
from ledger.models import Branch, Company, Region
from ledger.selectors import branches_seen_by, companies_seen_by, regions_seen_by


class CompanySerializer(Output):
    class Meta:
        model = Company
        fields = ("id", "name", "code", "currency", "time_zone", "separate_executor")


class CompanyList(Listing):
    """List the companies one has a role in."""

    rows = staticmethod(companies_seen_by)
    Output = CompanySerializer
    ordering = ("name",)
    ordering_fields = ("name", "code")


class CompanyDetail(Showing):
    """Show a company."""

    rows, Output, key = staticmethod(companies_seen_by), CompanySerializer, "company_id"


class RegionSerializer(Output):
    class Meta:
        model = Region
        fields = ("id", "company", "name")


class RegionFilter(FilterSet):
    company = UUIDFilter("company_id")


class RegionList(Listing):
    """List regions."""

    rows = staticmethod(regions_seen_by)
    Output = RegionSerializer
    filterset_class = RegionFilter
    ordering = ("name",)
    ordering_fields = ("name",)


class RegionDetail(Showing):
    """Show a region."""

    rows, Output, key = staticmethod(regions_seen_by), RegionSerializer, "region_id"


class BranchSerializer(Output):
    company = serializers.UUIDField(source="region.company_id", read_only=True)

    class Meta:
        model = Branch
        fields = ("id", "company", "region", "name")


class BranchFilter(FilterSet):
    company = UUIDFilter("region__company_id")
    region = UUIDFilter("region_id")


class BranchList(Listing):
    """List branches."""

    rows = staticmethod(branches_seen_by)
    Output = BranchSerializer
    filterset_class = BranchFilter
    ordering = ("name",)
    ordering_fields = ("name",)


class BranchDetail(Showing):
    """Show a branch."""

    rows, Output, key = staticmethod(branches_seen_by), BranchSerializer, "branch_id"
