"""Files of payments for a bank: what people carry there, byte for byte, and which attempts are in it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedBinaryField
from ledger.models import Company
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from payments.models import Provider
from treasury.models.attempt import PaymentAttempt


class BankFile(models.Model):
    """One pain.001 for one provider, made once; append-only, and never made again under another id.

    ``message_id`` is the file's own id (MsgId), ``sha256`` that of the plain bytes, ``execute_on`` the date
    the bank is asked to pay on. ``payments`` and ``total`` are what its lines come to.
    """

    file_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=35, unique=True)
    currency = CurrencyField()
    payments = models.PositiveIntegerField()
    total = MoneyField()
    execute_on = models.DateField()
    content = EncryptedBinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("-made_at", "-file_id")
        constraints = (
            models.UniqueConstraint(
                fields=("file_id", "provider", "currency"), name="treasury_bankfile_copied"
            ),
            models.CheckConstraint(
                condition=Q(payments__gt=0, total__gt=0), name="treasury_bankfile_not_empty"
            ),
        )
        indexes = (models.Index(fields=("provider", "-made_at"), name="treasury_bankfile_recent"),)

    def __str__(self) -> str:
        return self.message_id

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this file."""
        return f"treasury.bank_file:{self.file_id}"

    @property
    def name(self) -> str:
        """What the file is called when it is downloaded."""
        return f"{self.message_id}.xml"


class BankFileLine(models.Model):
    """That an attempt is in a file; append-only, one for an attempt, so that no two files hold it.

    Provider and currency are copied, tied to file and attempt by composite foreign keys.
    """

    line_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="lines")
    attempt = models.OneToOneField(
        PaymentAttempt, on_delete=models.PROTECT, related_name="file_line"
    )
    number = models.PositiveIntegerField()
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()

    class Meta:
        ordering = ("file", "number")
        constraints = (
            models.UniqueConstraint(fields=("file", "number"), name="treasury_bankfileline_number"),
        )

    def __str__(self) -> str:
        return f"line {self.number} of {self.file_id}"
