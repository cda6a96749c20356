"""An account, and its totals by day."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models.organisation import Company, CurrencyField
from ledger.money import LARGEST_AMOUNT

ZERO = Decimal(0)
# PostgreSQL counts NaN as greater than every number, so an upper bound is what keeps it out.
POSITIVE_AMOUNT = Q(amount__gt=0, amount__lt=LARGEST_AMOUNT)


class Side(models.TextChoices):
    DEBIT = "debit", "Debit"
    CREDIT = "credit", "Credit"


class AccountType(models.TextChoices):
    ASSET = "asset", "Asset"
    LIABILITY = "liability", "Liability"
    EQUITY = "equity", "Equity"
    INCOME = "income", "Income"
    EXPENSE = "expense", "Expense"

    @property
    def normal_side(self) -> Side:
        """The side on which an account of this type grows."""
        return Side.DEBIT if self in {AccountType.ASSET, AccountType.EXPENSE} else Side.CREDIT


class MoneyField(models.DecimalField):
    """NUMERIC(24,4): room for every currency's minor unit; the unit itself bounds the decimals."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_digits"] = 24
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Account(models.Model):
    """A balance in one currency, kept on this row under its lock by the SQL functions alone.

    ``balance`` counts on the normal side, so an asset that holds money is positive. ``minimum`` is the
    least that ``balance - held`` may be; null means no limit. ``entry_count`` and ``chain_head`` are the
    number of ledger entries and the hash of the last one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="accounts", db_index=False
    )
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=160)
    type = models.CharField(max_length=10, choices=AccountType.choices)
    currency = CurrencyField()
    normal_side = models.CharField(max_length=6, choices=Side.choices)
    minimum = MoneyField(null=True, blank=True)
    balance = MoneyField(default=ZERO, editable=False)
    held = MoneyField(default=ZERO, editable=False)
    entry_count = models.BigIntegerField(default=0, editable=False)
    chain_head = models.BinaryField(default=b"", editable=False)
    last_posted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("company", "code")
        # Type and normal side are looked at as the row is made, by a trigger (sql/lean_laws.sql).
        constraints = (
            models.UniqueConstraint(fields=("company", "code"), name="ledger_account_code"),
            models.UniqueConstraint(
                fields=("id", "company", "currency"),
                name="ledger_account_id_company_currency",
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(balance__gte=F("minimum") + F("held")),
                name="ledger_account_minimum",
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="ledger_account_held"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def available(self) -> Decimal:
        """What may still be spent: the balance less what is held."""
        return self.balance - self.held


class DailyTotal(models.Model):
    """The debits and credits of an account with one effective date; what dated balances are summed from."""

    pk = models.CompositePrimaryKey("account_id", "on")
    # Only lines write these rows, and a line's account is known.
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="daily_totals",
        db_constraint=False,
        db_index=False,
    )
    on = models.DateField()
    debit = MoneyField(default=ZERO)
    credit = MoneyField(default=ZERO)

    class Meta:
        ordering = ("account", "on")

    def __str__(self) -> str:
        return f"{self.account_id} {self.on}"
