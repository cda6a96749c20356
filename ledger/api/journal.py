"""Journal entries and their lines, to read."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from ledger.api.accounts import LineSerializer
from ledger.api.filters import CharFilter, DateFilter, FilterSet, InstantFrom, InstantTo, UUIDFilter
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import Output
from ledger.models import JournalEntry
from ledger.selectors import journal_entries_seen_by, journal_entries_with_lines_seen_by

FIELDS = (
    "id", "company", "reference", "description", "effective_on", "posted_at", "posted_by",
    "reversal_of", "reversed_by",
)  # fmt: skip


class JournalEntrySerializer(Output):
    reversed_by = serializers.UUIDField(
        source="reversed_by.id", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = JournalEntry
        fields: tuple[str, ...] = FIELDS


class JournalLineSerializer(LineSerializer):
    """A line of a journal entry, with the account it is on."""

    account_code = serializers.CharField(source="account.code", read_only=True)
    account_name = serializers.CharField(source="account.name", read_only=True)

    class Meta(LineSerializer.Meta):
        fields = (*LineSerializer.Meta.fields, "account_code", "account_name")


class JournalEntryWithLinesSerializer(JournalEntrySerializer):
    ledger_entries = JournalLineSerializer(many=True, read_only=True)

    class Meta(JournalEntrySerializer.Meta):
        fields = (*FIELDS, "ledger_entries")


class JournalFilter(FilterSet):
    company = UUIDFilter("company_id")
    account = UUIDFilter(method="with_account")
    reference = CharFilter("reference")
    effective_from = DateFilter("effective_on", "gte")
    effective_to = DateFilter("effective_on", "lte")
    posted_from = InstantFrom("posted_at")
    posted_to = InstantTo("posted_at")

    def with_account(
        self, rows: QuerySet[JournalEntry], name: str, account_id: UUID
    ) -> QuerySet[JournalEntry]:
        """Keep the entries that have a line on the account."""
        lines = JournalEntry.objects.filter(ledger_entries__account_id=account_id)
        return rows.filter(pk__in=lines.values("pk"))


class JournalList(Listing):
    """List journal entries, newest first."""

    rows = staticmethod(journal_entries_seen_by)
    Output = JournalEntrySerializer
    filterset_class = JournalFilter
    ordering = ("-posted_at", "-id")
    ordering_fields = ("posted_at",)


class JournalDetail(Showing):
    """Show a journal entry with its lines."""

    rows = staticmethod(journal_entries_with_lines_seen_by)
    Output, key = JournalEntryWithLinesSerializer, "entry_id"
