"""Under which keys this database was written: a mark of each, by which no key can be told."""

from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock


class KeyVariable(models.TextChoices):
    """The settings whose keys are marked here; the chain's key has its mark beside the chain."""

    INDEX = "BURSAR_INDEX_KEY", "BURSAR_INDEX_KEY"
    ENCRYPTION = "BURSAR_ENCRYPTION_KEYS", "BURSAR_ENCRYPTION_KEYS"


class KeyFingerprint(models.Model):
    """One key, by its keyed hash of a fixed text, in hex; nothing of it changes but whether it is ``needed``.

    There is one index key for ever. A key of encryption is needed from when it first stood in front until
    ``rotate_keys`` has found nothing under it any more.
    """

    fingerprint = models.CharField(primary_key=True, max_length=64, editable=False)
    variable = models.CharField(max_length=30, choices=KeyVariable.choices, editable=False)
    noted_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    needed = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(variable__in=KeyVariable.values), name="ledger_key_of_a_variable"
            ),
            models.CheckConstraint(
                condition=Q(needed=True) | Q(variable=KeyVariable.ENCRYPTION),
                name="ledger_key_index_stays_needed",
            ),
            models.UniqueConstraint(
                fields=("variable",),
                condition=Q(variable=KeyVariable.INDEX),
                name="ledger_key_one_index",
            ),
        )

    def __str__(self) -> str:
        return f"{self.variable} {self.fingerprint[:8]}"
