"""Journal entries and the ledger entries that make them up."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models.account import POSITIVE_AMOUNT, Account, MoneyField, Side
from ledger.models.organisation import Company, CurrencyField
from ledger.money import Money


class JournalEntry(models.Model):
    """One immutable, balanced booking.

    ``reference`` names its source (``treasury.payment:<uuid>:settle``) and is unique: posting it again
    returns this entry. ``effective_on`` is the date it counts for, ``posted_at`` when it was written.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Tied by the lines, of which each has its entry's company and its account's.
    company = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        related_name="journal_entries",
        db_index=False,
        db_constraint=False,
    )
    reference = models.CharField(max_length=160, unique=True)
    description = models.CharField(max_length=255)
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    # What a foreign key of Django's would say is said by sql/journal_laws.sql, or of the lines by
    # sql/lean_laws.sql, and the indexes below begin with these columns: a key or index of each would only
    # slow a posting down.
    reversal_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="reversed_by", db_constraint=False
    )
    content_hash = models.BinaryField()

    class Meta:
        verbose_name_plural = "journal entries"
        ordering = ("-posted_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("id", "company"), name="ledger_journal_id_company"),
        )
        indexes = (
            models.Index(fields=("company", "-posted_at", "-id"), name="ledger_journal_company"),
        )

    def __str__(self) -> str:
        return self.reference


class LedgerEntry(models.Model):
    """One line of a journal entry: a debit or a credit of a positive amount on one account.

    ``sequence`` counts the account's entries in posting order without a gap, ``balance_after`` is the
    account's balance once this entry is in, and ``chain_hash`` seals it to the entry before.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, related_name="ledger_entries", db_constraint=False
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="ledger_entries",
        db_constraint=False,
        db_index=False,
    )
    # Copied, and held by a trigger (sql/lean_laws.sql) to the company of the entry and the account, and its currency.
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    sequence = models.BigIntegerField()
    side = models.CharField(max_length=6, choices=Side.choices)
    amount = MoneyField()
    currency = CurrencyField()
    balance_after = MoneyField()
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    chain_hash = models.BinaryField()

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering = ("-posted_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("account", "sequence"), name="ledger_entry_sequence"),
            models.CheckConstraint(condition=POSITIVE_AMOUNT, name="ledger_entry_amount"),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="ledger_entry_side"),
        )
        indexes = (
            models.Index(
                fields=("account", "-posted_at", "-sequence"),
                name="ledger_entry_instant",
            ),
            models.Index(
                fields=("account", "effective_on", "sequence"),
                name="ledger_entry_effective",
            ),
            models.Index(fields=("company", "-posted_at", "-id"), name="ledger_entry_company"),
        )

    def __str__(self) -> str:
        return f"{self.get_side_display()} of {Money(self.amount, self.currency)}"
