"""The account at a bank that is debited by the files of a provider."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from ledger.encryption import EncryptedTextField
from payments.models.provider import Provider


class BankAccount(models.Model):
    """What a provider of kind bank has beside its name: whose account it is, which, and on what terms.

    ``account`` is one text (``payments/gateways/iso20022/accounts.py``), encrypted and found by its keyed
    hash ``account_index``; ``bic`` names the bank where neither the text nor the registry does. Whoever pays
    the charges is ``charge_bearer``. A payment in a file that nothing is heard of for ``acceptance_window``
    is in doubt.
    """

    class ChargeBearer(models.TextChoices):
        SHAR = "SHAR", "Shared"
        DEBT = "DEBT", "Borne by us"
        CRED = "CRED", "Borne by the payee"
        SLEV = "SLEV", "As agreed with the bank"

    provider = models.OneToOneField(
        Provider, on_delete=models.PROTECT, primary_key=True, related_name="bank"
    )
    holder = models.CharField(max_length=140)
    account = EncryptedTextField()
    account_index = models.CharField(max_length=64, unique=True, editable=False)
    bic = models.CharField(max_length=11, blank=True)
    charge_bearer = models.CharField(max_length=4, choices=ChargeBearer.choices)
    acceptance_window = models.DurationField(default=timedelta(hours=72))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(charge_bearer__in=("SHAR", "DEBT", "CRED", "SLEV")),
                name="payments_bankaccount_charges",
            ),
            models.CheckConstraint(
                condition=Q(acceptance_window__gt=timedelta(0)),
                name="payments_bankaccount_window",
            ),
            models.CheckConstraint(condition=~Q(holder=""), name="payments_bankaccount_named"),
        )

    def __str__(self) -> str:
        return f"account of {self.holder}"

    @property
    def acceptance_hours(self) -> int:
        """The acceptance window in whole hours, as people give it."""
        return int(self.acceptance_window.total_seconds()) // 3600
