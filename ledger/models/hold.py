"""Money set aside for a payment that may be on its way."""

import uuid

from django.db import models

from ledger.models.account import POSITIVE_AMOUNT, Account, MoneyField


class Hold(models.Model):
    """An amount of an account's balance that only its own payment may use, until it is released."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds")
    reference = models.CharField(max_length=160, unique=True)
    amount = MoneyField()
    held_at = models.DateTimeField()

    class Meta:
        ordering = ("-held_at",)
        constraints = (
            models.CheckConstraint(condition=POSITIVE_AMOUNT, name="ledger_hold_amount"),
        )

    def __str__(self) -> str:
        return self.reference


class HoldRelease(models.Model):
    """The end of a hold: a row of its own, at most one per hold."""

    hold = models.OneToOneField(
        Hold, on_delete=models.PROTECT, primary_key=True, related_name="release"
    )
    released_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"release of {self.hold_id}"
