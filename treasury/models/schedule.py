"""The days on which a company does not pay."""

import uuid

from django.db import models

from ledger.models import Company


class Holiday(models.Model):
    """A civil date on which the company's scheduled payments do not go out."""

    holiday_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="holidays")
    on = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("company", "on")
        constraints = (
            models.UniqueConstraint(fields=("company", "on"), name="treasury_holiday_once"),
        )

    def __str__(self) -> str:
        return f"{self.name}, {self.on:%-d %B %Y}"
