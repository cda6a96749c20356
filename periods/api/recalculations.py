"""Recalculations: what correcting a closed period did to the ones after it."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from ledger.api.fields import MoneyText
from ledger.api.resource import Listing
from ledger.refusals import NotFound
from periods.api.fields import PeriodsOutput
from periods.models import CarriedDifference, RecalculatedPeriod, RecalculationRun
from periods.selectors import periods_seen_by, recalculations_seen_by


class RecalculatedPeriodSerializer(serializers.ModelSerializer):
    """A period that the run looked at; the versions are the same where nothing changed."""

    period = serializers.UUIDField(source="period_id", read_only=True)
    name = serializers.CharField(source="period.name", read_only=True)
    version_before = serializers.IntegerField(source="before.version", read_only=True)
    version_after = serializers.IntegerField(source="after.version", read_only=True)
    hash_before = serializers.CharField(source="before.hash", read_only=True)
    hash_after = serializers.CharField(source="after.hash", read_only=True)

    class Meta:
        model = RecalculatedPeriod
        fields = (
            "period", "name", "version_before", "version_after", "hash_before", "hash_after",
        )  # fmt: skip


class DifferenceSerializer(serializers.ModelSerializer):
    """By how much one owner's balance is higher at the end of the corrected period, and ever after."""

    owner_id = serializers.UUIDField(read_only=True)
    difference = MoneyText(currency="run.association.currency")

    class Meta:
        model = CarriedDifference
        fields = ("owner_id", "difference")


class RecalculationSerializer(PeriodsOutput):
    """A correction that was carried forward: by whom, why, and what came of it."""

    reason = serializers.CharField(source="request.reason", read_only=True, default=None)
    periods = RecalculatedPeriodSerializer(many=True, read_only=True)
    differences = DifferenceSerializer(many=True, read_only=True)

    class Meta:
        model = RecalculationRun
        fields = (
            "id", "association", "period", "policy", "adjusted_period", "reason", "periods",
            "differences", "journal_entry", "run_by", "run_at", "duration_ms",
        )  # fmt: skip


class RecalculationList(Listing):
    """List what corrections of a period did to it and to those after it, oldest first."""

    rows, key = staticmethod(recalculations_seen_by), "period_id"
    Output = RecalculationSerializer
    ordering, ordering_fields = ("run_at", "id"), ("run_at",)

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return RecalculationRun.objects.none()
        period = periods_seen_by(self.user).filter(pk=self.kwargs[self.key]).first()
        if period is None:
            raise NotFound("There is no such thing.")
        return self.rows(self.user).filter(period=period)
