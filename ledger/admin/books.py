"""The books: accounts, journal entries, ledger entries, holds. Read by many, written by no form."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Cell, Link, list_of
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.models import Account, Hold, JournalEntry, LedgerEntry
from ledger.selectors import statement

ENTRIES_SHOWN = 25
FIGURES = frozenset({"Debit", "Credit", "Balance", "Amount"})
SIDES = {"debit": "busy", "credit": "quiet"}


def side_cells(entry: LedgerEntry) -> tuple[Cell, Cell]:
    """The amount in the column of its side: debit, credit."""
    amount = cells.amount(entry.amount, entry.currency)
    return (amount, cells.Text("")) if entry.side == "debit" else (cells.Text(""), amount)


def journal_link(entry: JournalEntry | None) -> Cell:
    """A link to a journal entry, named by what it was for."""
    return cells.link(entry, entry.description) if entry else cells.NOTHING


def entries_table(entries: Iterable[LedgerEntry]) -> Table:
    """Lines of a journal entry, or of several: account, debit, credit, balance after."""
    rows = [
        (
            journal_link(entry.journal_entry),
            cells.link(entry.account),
            *side_cells(entry),
            cells.amount(entry.balance_after, entry.currency),
            cells.day(entry.effective_on),
            cells.instant(entry.posted_at, entry.company),
        )
        for entry in entries
    ]
    headings = ("Entry", "Account", "Debit", "Credit", "Balance", "Effective", "Posted")
    return Table(headings, rows, FIGURES)


def statement_panel(account: Account, title: str = "Statement") -> Panel:
    """The last entries of an account with the balance after each, and the way to all of them."""
    entries = statement(account).select_related("company")[:ENTRIES_SHOWN]
    rows = [
        (
            cells.day(entry.effective_on),
            journal_link(entry.journal_entry),
            *side_cells(entry),
            cells.amount(entry.balance_after, entry.currency),
        )
        for entry in entries
    ]
    return Panel(
        title,
        table=Table(("Effective", "Entry", "Debit", "Credit", "Balance"), rows, FIGURES),
        empty="Nothing has been posted to this account yet.",
        links=(Link("All entries", list_of(LedgerEntry, account__id__exact=account.pk)),),
    )


@admin.register(Account)
class AccountAdmin(SeenAdmin):
    whole_company = True
    list_display = (
        "code",
        "name",
        "company",
        "type_badge",
        "balance_figure",
        "held_figure",
        "available_figure",
        "last_posted_at_shown",
    )
    list_filter = (by("type"), seen("company"), "currency", between("last_posted_at"))
    list_select_related = ("company",)
    search_fields = ("code", "name", "company__name")
    amount_fields = ("balance",)
    type_badge = badge_column("type", {})
    balance_figure = amount_column("balance")
    held_figure = amount_column("held")
    available_figure = amount_column("available", order=None)
    last_posted_at_shown = instant_column("last_posted_at", title="last posted")

    def page_for(self, request: HttpRequest, row: Account) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Type", Badge(row.get_type_display())),
            Fact("Grows by", cells.text(row.get_normal_side_display())),
            Fact("Balance", cells.amount(row.balance, row.currency)),
            Fact("Held", cells.amount(row.held, row.currency)),
            Fact("Available", cells.amount(row.available, row.currency)),
            Fact("May not fall below", cells.amount(row.minimum, row.currency)),
            Fact("Entries", cells.text(f"{row.entry_count:,}")),
            Fact("Last posted", cells.instant(row.last_posted_at, row.company)),
        )
        return Page(
            str(row),
            panels=(
                Panel("Account", facts),
                statement_panel(row),
                history([f"ledger.account:{row.pk}"], row.company),
            ),
        )


@admin.register(JournalEntry)
class JournalEntryAdmin(SeenAdmin):
    whole_company = True
    list_display = (
        "description",
        "company",
        "effective_on",
        "posted_at_shown",
        "posted_by",
        "reversal",
    )
    list_filter = (seen("company"), between("effective_on"), between("posted_at"))
    list_select_related = ("company", "posted_by", "reversal_of", "reversed_by")
    search_fields = ("description", "reference", "posted_by__username")
    posted_at_shown = instant_column("posted_at", title="posted")

    @admin.display(description="reversal")
    def reversal(self, row: JournalEntry) -> str:
        if row.reversal_of:
            return f"of “{row.reversal_of.description}”"
        return "reversed" if hasattr(row, "reversed_by") else ""

    def page_for(self, request: HttpRequest, row: JournalEntry) -> Page:
        entries = row.ledger_entries.select_related("account", "company", "journal_entry").order_by(
            "-side", "account__code"
        )
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Effective", cells.day(row.effective_on)),
            Fact("Posted", cells.instant(row.posted_at, row.company)),
            Fact("Posted by", cells.text(row.posted_by or "Bursar itself")),
            Fact("Reverses", journal_link(row.reversal_of)),
            Fact("Reversed by", journal_link(getattr(row, "reversed_by", None))),
            Fact("Source", cells.text(row.reference), wide=True),
        )
        return Page(
            row.description,
            panels=(
                Panel("Journal entry", facts),
                Panel("Ledger entries", table=entries_table(entries)),
            ),
        )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(SeenAdmin):
    whole_company = True
    list_display = (
        "description",
        "account",
        "side_badge",
        "amount_figure",
        "balance_after_figure",
        "effective_on",
        "posted_at_shown",
    )
    list_filter = (
        by("side"),
        seen("company"),
        seen("account"),
        "currency",
        between("effective_on"),
        between("posted_at"),
    )
    list_select_related = ("account", "company", "journal_entry")
    search_fields = (
        "journal_entry__description",
        "journal_entry__reference",
        "account__name",
        "account__code",
    )
    amount_fields = ("amount",)
    side_badge = badge_column("side", {"debit": "busy"})
    amount_figure = amount_column("amount")
    balance_after_figure = amount_column("balance_after", order=None)
    posted_at_shown = instant_column("posted_at", title="posted")

    @admin.display(ordering="journal_entry__description")
    def description(self, row: LedgerEntry) -> str:
        return row.journal_entry.description

    def page_for(self, request: HttpRequest, row: LedgerEntry) -> Page:
        facts = (
            Fact("Journal entry", journal_link(row.journal_entry)),
            Fact("Account", cells.link(row.account)),
            Fact("Side", Badge(row.get_side_display())),
            Fact("Amount", cells.amount(row.amount, row.currency)),
            Fact("Balance after", cells.amount(row.balance_after, row.currency)),
            Fact("Number in the account", cells.text(f"{row.sequence:,}")),
            Fact("Effective", cells.day(row.effective_on)),
            Fact("Posted", cells.instant(row.posted_at, row.company)),
            Fact("Seal", cells.Code(bytes(row.chain_hash).hex()), wide=True),
        )
        return Page(row.journal_entry.description, panels=(Panel("Ledger entry", facts),))


def _state(hold: Hold) -> Cell:
    return Badge("Released") if hasattr(hold, "release") else Badge("Held", "busy")


@admin.register(Hold)
class HoldAdmin(SeenAdmin):
    scope = "account__"
    whole_company = True
    list_display = ("reference", "account", "state", "amount_figure", "held_at_shown")
    list_filter = (seen("account"), between("held_at"))
    list_select_related = ("account__company", "release")
    search_fields = ("reference", "account__name", "account__code")
    amount_fields = ("amount",)
    state = column(_state, title="state", name="state")
    amount_figure = amount_column("amount", currency=lambda row: row.account.currency)
    held_at_shown = instant_column("held_at", title="held", company=lambda row: row.account.company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        rows: QuerySet[Hold] = super().get_queryset(request)
        return rows.select_related("account__company", "release")

    def page_for(self, request: HttpRequest, row: Hold) -> Page:
        release = getattr(row, "release", None)
        company = row.account.company
        facts = (
            Fact("Account", cells.link(row.account)),
            Fact("Amount", cells.amount(row.amount, row.account.currency)),
            Fact("Held", cells.instant(row.held_at, company)),
            Fact("Released", cells.instant(release.released_at if release else None, company)),
            Fact("For", cells.text(row.reference), wide=True),
        )
        badge = _state(row)
        assert isinstance(badge, Badge)
        return Page("Hold", badges=(badge,), panels=(Panel("Hold", facts),))
