"""How the installation itself is doing: what must happen again and again, and what the last proof found."""

import uuid

from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock


class LastDone(models.Model):
    """When something that must happen regularly happened last: one row for each ``name``.

    ``detail`` is for people and holds no secret.
    """

    name = models.CharField(primary_key=True, max_length=60)
    at = models.DateTimeField(db_default=DatabaseClock())
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "last done"

    def __str__(self) -> str:
        return self.name


class LedgerProof(models.Model):
    """One recomputation of the whole ledger, and what it found; append-only.

    ``first_fault`` says where the first of the ``faults`` is, "" when everything agreed.
    """

    proof_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    entries = models.PositiveBigIntegerField()
    accounts = models.PositiveBigIntegerField()
    anchored = models.PositiveBigIntegerField()
    faults = models.PositiveIntegerField()
    first_fault = models.TextField(blank=True)

    class Meta:
        ordering = ("-finished_at", "-proof_id")
        constraints = (
            models.CheckConstraint(
                condition=Q(faults=0, first_fault="") | (Q(faults__gt=0) & ~Q(first_fault="")),
                name="ledger_proof_names_its_fault",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("began_at")), name="ledger_proof_takes_time"
            ),
        )
        indexes = (models.Index(fields=("-finished_at",), name="ledger_proof_newest"),)

    def __str__(self) -> str:
        return "failed" if self.faults else "holds"
