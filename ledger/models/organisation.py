"""The organisation: company, region, branch."""

import uuid
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models

from ledger.money import UnknownCurrency, minor_unit


def validate_currency(value: str) -> None:
    """Refuse anything but an ISO 4217 code that the money module knows."""
    try:
        minor_unit(value)
    except UnknownCurrency as error:
        raise ValidationError(str(error)) from error


def validate_time_zone(value: str) -> None:
    """Refuse anything but a name from the IANA time zone database."""
    if value not in available_timezones():
        raise ValidationError(f"{value} is not a time zone of the IANA database.")


class CurrencyField(models.CharField):
    """Three upper-case letters of ISO 4217."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_length"] = 3
        kwargs.setdefault("validators", [validate_currency])
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Company(models.Model):
    """A legal entity with its own books; nothing crosses from one company into another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    code = models.SlugField(max_length=20, unique=True)
    currency = CurrencyField()
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validate_time_zone])
    separate_executor = models.BooleanField(
        default=True,
        help_text="Whoever approved a requisition may not execute its payment.",
    )

    class Meta:
        verbose_name_plural = "companies"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """A part of a company."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="regions")
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ("company", "name")
        constraints = (
            models.UniqueConstraint(fields=("company", "name"), name="ledger_region_name"),
        )

    def __str__(self) -> str:
        return self.name


class Branch(models.Model):
    """A place of business within a region."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="branches")
    name = models.CharField(max_length=120)

    class Meta:
        verbose_name_plural = "branches"
        ordering = ("region", "name")
        constraints = (
            models.UniqueConstraint(fields=("region", "name"), name="ledger_branch_name"),
        )

    def __str__(self) -> str:
        return self.name
